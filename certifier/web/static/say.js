// The sentences of a page's script: the page brings them in the reader's language, and a module names them.

const said = {};

export const learn = (texts) => Object.assign(said, texts);

// The sentence of that name, with its {places} filled.
export const say = (name, parts = {}) => (said[name] ?? name).replace(/\{(\w+)\}/g, (place, part) => parts[part] ?? place);
