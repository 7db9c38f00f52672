"""The sentences that page scripts say, one table for each script: the page brings them, in the reader's language, under ``says``.

Places that a script fills are written ``{name}``.
"""

from __future__ import annotations

from certifier.web.language import N_, gettext

# page -> name of a sentence -> the sentence
SENTENCES: dict[str, dict[str, str]] = {
    # of every page that tells what a browser found
    "telling": {
        "then": N_("When it was issued it said:"),
        "now": N_("It says:"),
        "by": N_("by"),
        "figure": N_("at most {g} g CO2e per minute of finished music"),
        "expected": N_("{found}; expected: {expected}"),
    },
    "certificate": {
        "done": N_("Checked by your own browser"),
        "told": N_("Checked by your own browser: {verdict}"),
        "replaced": N_("Checked by your own browser: not in force any more"),
        "site": N_("This site says: {state}"),
        "again": N_("Your own browser could not check this again just now"),
        "again_why": N_("Your own browser could not check this again: the service did not answer"),
        "before": N_(
            "With the keys and lists that came before, by the clock of this device at {at}: {verdict}. {because}"
        ),
        "clock": N_("Is the clock of this device right? It says {at}."),
        "at": N_("At {at} by the clock of this device."),
        "whose": N_(
            "The keys came with this page, so whose they are is the word of this site. With keys that you have from "
            "elsewhere, check a copy under Verify, or with certifier verify."
        ),
        "button": N_("Check again now"),
        "failed": N_("Your own browser could not check this certificate"),
        "failed_why": N_(
            "Your own browser could not check this certificate: {why}. What stands above is the answer of the service."
        ),
        "print_unsigned": N_(
            "The code on the print is not signed by a key that is known here. Do not rely on that print."
        ),
        "print_other": N_("The print carries another certificate than this page. Do not rely on that print."),
        "print_same": N_(
            "The print carries this very certificate: its own signature fits, and so does the digest in it."
        ),
        "print_unread": N_("The code on the print cannot be read: {why}. Scan it again."),
    },
    "offline": {
        "title": N_("A saved certificate"),
        "genuine": N_("Genuine. Whether it was withdrawn since cannot be told here."),
        "aged": N_(
            "It was neither withdrawn nor suspended when this page was saved, at {saved}. That was more than an hour ago, "
            "so ask again where you can."
        ),
        "figure_of": N_("Figure"),
        "outcome": N_("Outcome"),
        "evidence": N_("Evidence"),
        "standard": N_("Standard"),
        "issued": N_("Issued"),
        "until": N_("Valid until"),
        "code": N_("Code"),
        "today": N_("How it stands today:"),
        "checks": N_("The checks"),
        "source": N_(
            "Checked by your own browser at {at}, without a network. The keys and status lists are those of {saved}, from "
            "whoever gave you this page: where that matters, compare them or check with certifier verify."
        ),
        "unable": N_("This browser could not check it: {why}."),
    },
    "mine": {
        "kept": N_("This browser keeps the key {did}."),
        "no_key": N_("This browser keeps no key. Choose the key file that you saved."),
        "cannot": N_(
            "This browser cannot sign with Ed25519 here: it needs a recent version and an address with https."
        ),
        "encrypted": N_("The key in this file is encrypted. Use the command line: it asks for the passphrase."),
        "unreadable": N_("This file holds no private key. It is the one that begins with BEGIN PRIVATE KEY."),
        "asking": N_("Signing, and asking …"),
        "lost": N_("The service does not answer. Try again in a moment."),
        "strange": N_("The service sent something that is no challenge, so nothing was signed."),
        "one": N_("One submission"),
        "several": N_("{n} submissions"),
        "none": N_("Nothing was submitted with this key yet"),
        "whose": N_("With the key {did}"),
        "more": N_("Only the newest are listed."),
        "track": N_("Track"),
        "outcome": N_("Outcome"),
        "standing": N_("State"),
        "expires": N_("Valid until"),
        "next": N_("Next"),
        "refused": N_("Refused"),
        "accepted": N_("Being signed"),
        "figure": N_("at most {g} g per minute"),
        "renew": N_("Renew from {day}"),
        "renewal": N_("Renewal"),
        "kit": N_("Badge kit"),
        "statement-kit": N_("Statement kit"),
        "decision": N_("Decision"),
    },
    "kit": {
        "copy": N_("Copy"),
        "copied": N_("Copied"),
        "select": N_("Selected: copy it with the keyboard"),
    },
    "submit": {
        # the track
        "sent": N_("{done} of {all} MB"),
        "mb": N_("{mb} MB"),
        "file": N_("File"),
        "length": N_("Length"),
        "size": N_("Size"),
        "sha256": N_("SHA-256"),
        "needs-file": N_("Choose the audio file."),
        "file-again": N_(
            "Choose the audio file again: browsers forget files when a page is loaded anew. Your answers are still here."
        ),
        "still-reading": N_("The file is still being read."),
        "empty": N_("This file is empty."),
        "unreadable": N_("This file cannot be read. Choose it again."),
        "too-large": N_("This file has {size} MB; at most {most} MB are taken."),
        "too-short": N_("A track under 15 seconds gets no certificate."),
        "earlier": N_("This very file has a certificate already, and a file gets one only."),
        "earlier-link": N_("See {code}"),
        # answers
        "needs-answer": N_("Answer this question."),
        "needs-date": N_("Give a full date."),
        "needs-choice": N_("Choose one."),
        "needs-tick": N_("Tick at least one."),
        "needs-whole": N_("Give a whole number, at least 1."),
        "needs-number": N_("Give a number above 0, such as 12 or 7.5."),
        "needs-length": N_("Give a length in whole numbers."),
        "needs-report": N_("Choose the signed report, or make one here."),
        "lyrics-alone": N_("Lyrics alone do not qualify. If the model sings them, tick voices."),
        "own-model": N_(
            "Then the training belongs into the report, with its runs. The command line makes it: certifier report new."
        ),
        "in-future": N_("This day is still to come."),
        "before-first": N_("This is before the first day."),
        "ends-in-future": N_("With the length below, the sessions end in the future."),
        "one-to-mend": N_("One answer needs a look"),
        "some-to-mend": N_("{n} answers need a look"),
        # the key
        "cannot-sign": N_("This browser cannot sign. Take another one, or the command line."),
        "no-key": N_("You have no key in this browser yet. One is made when you continue."),
        "key-made": N_("Your new key, made and kept in this browser:"),
        "key-kept": N_("Your key in this browser:"),
        "key-unkept": N_("Your key. This browser does not keep it, so save it before you leave:"),
        "key-encrypted": N_(
            "This key file has a passphrase, and browsers cannot open it. Sign with the command line: certifier report sign."
        ),
        "key-unreadable": N_("This is no Ed25519 key file. It begins with BEGIN PRIVATE KEY."),
        "key-saved": N_("Saved as my-key.pem. Move it to a place that only you can open."),
        "report-saved": N_("Saved as report.dsse.json."),
        # check and send
        "title": N_("Title"),
        "artist": N_("Artist"),
        "report-kind": N_("Report"),
        "self-declared": N_("Self-declared, signed with your key"),
        "key": N_("Key"),
        "logs": N_("Raw logs"),
        "no-logs": N_("none: the figure counts as self-declared"),
        "lost": N_("The connection was lost"),
        "lost-means": N_(
            "Nothing has been decided, or the answer got lost. Send it again: you get the same answer, never two certificates."
        ),
        "lost-check": N_("Nothing was stored. Try again when you are connected."),
        "again": N_("Send again"),
        "no-answer": N_("The answer cannot be read"),
        "no-answer-means": N_(
            "The service answered with HTTP {status}. Send it again in a moment: the same report gives the same answer."
        ),
        "busy": N_("Nothing was decided. All that you entered is still here."),
        "busy-until": N_("Nothing was decided. Try again in {s} seconds; all that you entered is still here."),
        "duplicate": N_("This report was decided before"),
        "duplicate-means": N_("The same report gives the same answer, so nothing new was made."),
        "earlier-decision": N_("To the decision"),
        # what a check or a problem says
        "checked-only": N_("Checked only; nothing was stored"),
        "would-refuse": N_("It would be refused"),
        "would-state": N_("It would become a statement"),
        "would-be": N_("It would become: {outcome}"),
        "at-most": N_("at most"),
        "unit": N_("g CO2e per minute of finished music"),
        "estimate": N_("Best estimate {g} g"),
        "limits": N_("The limit for any certificate is {measured} g."),
        "why-refused": N_("Rules that are not met"),
        "any-would-do": N_("Each of these alone would be enough"),
        "together-would-do": N_("These together would be enough"),
        "statement-means": N_(
            "The figure goes into the public register as your own word. It is not a label: no class, and no badge to show."
        ),
        "label-needs": N_("For a label, others have to stand behind the figure"),
        "label-measured": N_(
            "A registered measuring party signs the report, and its raw logs are deposited: "
            "Measured up to {measured} g, class 2 up to {class_2} g."
        ),
        "label-class-1": N_("An independent verifier signs besides: class 1 up to {class_1} g."),
        "who-does": N_("Who does that, and the fees"),
        "better-needs": N_("What a better outcome needs"),
        "comes-from": N_("Where the figure comes from"),
        "stage": N_("Stage"),
        "grams": N_("g per minute, at most"),
        "where": N_("Where"),
        "found": N_("Found"),
        "expected": N_("Expected"),
        "to-do": N_("What to do"),
        "request": N_("Request {id}"),
        "submit-now": N_("Submit it"),
        "submit-anyway": N_("Submit it all the same"),
        "change": N_("Change the answers"),
    },
    "verify": {
        "pasted": N_("What you typed or pasted"),
        "scanned": N_("{name}: its QR"),
        "camera_name": N_("Camera"),
        "reading": N_("Reading …"),
        "hashing": N_("Reading {name}: {percent} %"),
        "decoding": N_("Reading the samples of {name}: {percent} %"),
        "cannot_check": N_("This cannot be checked"),
        "because": N_("The reason: {why}."),
        # an answer
        "says_so": N_("It says:"),
        "said_then": N_("When it was issued it said:"),
        "claim": N_("{title} by {artist} · at most {most} g CO2e per minute of finished music · {outcome} · {code}"),
        "claim_of_print": N_("at most {most} g CO2e per minute of finished music · {outcome} · {code}"),
        "its_page": N_("What it means: its page"),
        "by_browser": N_("Checked by your own browser,"),
        "by_service": N_("Checked by this service."),
        "keys_given": N_("with the trust file that you gave."),
        "keys_own": N_("with the keys of this site: whose they are is its own word."),
        "rest_from_here": N_("What you did not bring (proof, status lists) came from this site."),
        "at": N_("At {time}."),
        # a code or an address
        "mistyped": N_("This code has a typing error"),
        "mistyped_more": N_(
            "A code is ten letters and digits, such as 7K3Q-Z9M2-XA; its last one fits only the nine before it. Compare it with "
            "the label symbol by symbol, or scan the QR. The letters I, L, O and U are never used."
        ),
        "unknown_code": N_("No certificate here has this code"),
        "unknown_code_more": N_(
            "{code} is well formed, and was never issued here. A label with this code is not one of ours: please report it."
        ),
        "unknown_code_beside": N_("This site knows no certificate with this code."),
        "no_answer": N_("The service does not answer"),
        "no_answer_more": N_("Whether {code} is in force cannot be told just now. Try again in a moment."),
        "no_answer_beside": N_("The service did not answer, so what you did not bring is missing."),
        "elsewhere": N_("This leads to another site"),
        "elsewhere_more": N_(
            "It names {place}. Nothing is known of it here, and a label may not lead elsewhere than to its issuer. "
            "Open it only if you trust that address."
        ),
        # files
        "rdf": N_("An Open Badge: only the service can check it"),
        "rdf_more": N_(
            "It is signed in a way that your browser does not check here (eddsa-rdfc-2022). With your word it is sent to this "
            "service, checked, and not kept. The .vc file of the same certificate can be checked here."
        ),
        "badge": N_("A badge with an Open Badge inside: only the service can check it"),
        "badge_more": N_(
            "The picture itself proves nothing; what is inside is signed in a way that your browser does not check here. With "
            "your word it is sent to this service, checked, and not kept."
        ),
        "send": N_("Send it to the service"),
        "only_beside": N_("This goes with a certificate"),
        "only_beside_more": N_(
            "A proof, a status list or a trust file says nothing alone. Give it together with the certificate."
        ),
        "stranger": N_("This is nothing that is checked here"),
        "is_empty": N_("It is empty."),
        "is_text": N_("It is a text that is no code, address, QR text or certificate."),
        "is_bytes": N_("It begins with bytes that are not known here."),
        "is_large": N_("It is larger than any certificate, and no audio or picture that is known here."),
        "is_unreadable": N_("It cannot be read: a folder, or a file that is gone."),
        "is_json": N_("It is JSON, and no certificate, proof, status list or trust file."),
        "is_broken": N_("It begins as JSON and breaks off. Copy the whole file."),
        "is_xml": N_("It is markup, and no badge."),
        "is_html": N_("It is a web page. A saved certificate page checks itself: open it."),
        "is_pack": N_("It is a verification pack. It is read by: certifier verify FILE --pack PACK"),
        "is_report": N_("It is a signed emission report. A report is submitted, not verified."),
        "is_pdf": N_("It is a PDF document. Photograph or scan the QR on it, or type the code."),
        "is_zip": N_("It is an archive. Unpack it and give the files."),
        "is_gzip": N_("It is an archive. Unpack it and give the files."),
        "is_midi": N_("It is a MIDI file: notes, and no recording."),
        "is_caf": N_("It is audio in a format that is not read here. Give the master as WAV, FLAC or AIFF."),
        "is_mp4": N_("It is MP4 or M4A, which is not read here. Give the master as WAV, FLAC or AIFF."),
        "taken": N_(
            "Taken here: a code or address; a certificate (.vc, .json, .jwt, .cose) with its proof, status lists and trust file; "
            "a badge as SVG; a picture with a QR; audio as WAV, FLAC, AIFF, MP3 or OGG."
        ),
        # pictures and the camera
        "no_reader": N_("The QR reader did not load"),
        "no_reader_more": N_("Your browser has none of its own, and ours did not come. Type the code instead."),
        "no_picture": N_("This picture cannot be opened"),
        "no_picture_more": N_("Give it as PNG, JPEG or SVG, or type the code beside the QR."),
        "no_qr": N_("No QR was found in this picture"),
        "no_qr_more": N_(
            "It should be sharp, lit evenly and show the whole QR with a white rim. Or type the code beside it: ten letters and "
            "digits."
        ),
        "qr_holds": N_("Its QR says:"),
        "qr_other": N_("The QR is none of this label"),
        "qr_other_more": N_("It was not opened."),
        "camera_asked": N_("Your browser asks whether this page may use the camera."),
        "camera_on": N_("Hold the QR of the label before the camera. The pictures stay in this page."),
        "camera_found": N_("Found. The camera is off."),
        "camera_refused": N_(
            "The camera was refused. Allow it for this site in your browser's settings, or choose a photo under Files."
        ),
        "camera_none": N_("No camera was found. Choose a photo of the QR under Files, or type the code."),
        "camera_busy": N_("The camera is in use by something else, or does not start. Close that, and try again."),
        "camera_insecure": N_(
            "Browsers give the camera to secure addresses (https) only, and this is none. Choose a photo under Files, "
            "or type the code."
        ),
        # audio
        "no_sound": N_("No certificate here is for this recording"),
        "no_bytes": N_("No certificate here is for exactly this file"),
        "no_samples": N_(
            "Neither its bytes nor its samples are known here. Another mix, an edit or a lossy copy has other samples: try the "
            "master, or the code on the label."
        ),
        "no_essence": N_(
            "Its bytes are not known here, and a file of this kind (lossy, or not of whole numbers) has no samples to compare: "
            "try the master, or the code on the label."
        ),
        "no_digest_more": N_(
            "SHA-256 {digest}. A file that was converted or edited has another digest: try the file itself, the master, or the "
            "code on the label."
        ),
        "digest": N_("SHA-256 {sha256}"),
        "digests": N_("SHA-256 {sha256} · of the samples {essence}"),
        "listen": N_("Let the service read it"),
        "listen_more": N_(
            "Only its SHA-256 was asked for. The same sound may be known in another file: to find that, the samples of "
            "this {format} have to be decoded, which your browser does not do here. With your word the file ({size} MB) "
            "is sent to this service, read there, and not kept."
        ),
        "listening": N_("Sending {name} …"),
    },
}


def says(page: str) -> dict[str, str]:
    """The sentences of a page's script in the language of this answer."""
    return {name: gettext(text) for name, text in SENTENCES[page].items()}
