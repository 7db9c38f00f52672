// Command sumdb reads a whole C2SP log with the parsers and proofs of Go's checksum database, golang.org/x/mod/sumdb.
//
//	sumdb BASE VKEY      BASE: the address before /checkpoint; VKEY: name+key id+base64
//
// It prints "ACCEPT origin size", or "REJECT reason" and exits with 1. With other arguments it exits with 2.
//
// What x/mod has and C2SP has not, or the other way round:
//   - the text of a tree note begins with an origin of the log's own, so the three lines are read here;
//   - the path of a tile names no height (it is 8 for all), and entries lie below tile/entries, each behind its length.
//
// Up to version 0.40 of x/mod, TileHashReader leaves up to two tiles unauthenticated (CVE-2026-56865). So every tile that the
// log has is computed from its entries as well, and compared byte for byte.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height   = 8
	width    = 1 << height
	maxFile  = width * (2 + 0xffff)
	maxProof = 1000 // entries that are proven one by one; in a larger log this many, evenly spread
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sumdb BASE VKEY")
		os.Exit(2)
	}
	origin, tree, err := judge(newFiles(os.Args[1]), os.Args[2])
	if err != nil {
		fmt.Printf("REJECT %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("ACCEPT %s %d\n", origin, tree.N)
}

func judge(log *files, vkey string) (string, tlog.Tree, error) {
	origin, tree, err := openCheckpoint(log, vkey)
	if err != nil {
		return "", tree, err
	}
	leaves, err := readEntries(log, tree.N)
	if err != nil {
		return "", tree, err
	}
	reader := tlog.TileHashReader(tree, log)
	for _, check := range []func() error{
		func() error { return checkRoot(tree, reader) },
		func() error { return checkTiles(log, tree, leaves) },
		func() error { return checkRecords(tree, reader, leaves) },
	} {
		if err := check(); err != nil {
			return "", tree, err
		}
	}
	return origin, tree, nil
}

// openCheckpoint returns the origin and the tree of the note that the key signed.
func openCheckpoint(log *files, vkey string) (origin string, tree tlog.Tree, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", tree, err
	}
	raw, err := log.fetch("checkpoint")
	if err != nil {
		return "", tree, err
	}
	opened, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return "", tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 {
		return "", tree, fmt.Errorf("the checkpoint has %d lines, not three", len(lines)-1)
	}
	if lines[0] != verifier.Name() {
		return "", tree, fmt.Errorf("the checkpoint is of %q, the key of %q", lines[0], verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return "", tree, fmt.Errorf("the size %q is not a plain decimal", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return "", tree, fmt.Errorf("the root %q is not base64 of 32 bytes", lines[2])
	}
	tree.N = size
	copy(tree.Hash[:], root)
	return lines[0], tree, nil
}

// readEntries returns the record hash of every entry in the log's bundles.
func readEntries(log *files, size int64) ([]tlog.Hash, error) {
	var leaves []tlog.Hash
	for _, tile := range tilesOf(0, size) {
		path := "tile/entries/" + place(tile)
		raw, err := log.fetch(path)
		if err != nil {
			return nil, err
		}
		count := 0
		for rest := raw; len(rest) > 0; count++ {
			if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
				return nil, fmt.Errorf("%s is cut short", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(rest))
			leaves = append(leaves, tlog.RecordHash(rest[2:end]))
			rest = rest[end:]
		}
		if count != tile.W {
			return nil, fmt.Errorf("%s holds %d entries, not %d", path, count, tile.W)
		}
	}
	return leaves, nil
}

// checkRoot compares the signed root with the one that the tiles lead to.
func checkRoot(tree tlog.Tree, reader tlog.HashReader) error {
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return fmt.Errorf("the tiles lead to no root: %w", err)
	}
	if tree.N == 0 { // TreeHash gives zeros here, RFC 6962 the hash of nothing
		root, _ = tlog.ParseHash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	}
	if root != tree.Hash {
		return fmt.Errorf("the tiles lead to the root %v, signed is %v", root, tree.Hash)
	}
	return nil
}

// checkTiles computes every tile of the log from its entries and compares it with the one that is served.
func checkTiles(log *files, tree tlog.Tree, leaves []tlog.Hash) error {
	var stored hashes
	for n, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(n), leaf, stored)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	for level := 0; tree.N>>(height*level) > 0; level++ {
		for _, tile := range tilesOf(level, tree.N>>(height*level)) {
			want, err := tlog.ReadTileData(tile, stored)
			if err != nil {
				return err
			}
			path := hashPath(tile)
			got, err := log.fetch(path)
			if err != nil {
				return err
			}
			if !bytes.Equal(got, want) {
				return fmt.Errorf("%s is not what the entries give", path)
			}
		}
	}
	return nil
}

// checkRecords proves entry after entry from the tiles.
func checkRecords(tree tlog.Tree, reader tlog.HashReader, leaves []tlog.Hash) error {
	step := (tree.N-1)/maxProof + 1
	for n := int64(0); n < tree.N; n += step {
		if err := checkRecord(tree, reader, n, leaves[n]); err != nil {
			return err
		}
	}
	if tree.N == 0 {
		return nil
	}
	return checkRecord(tree, reader, tree.N-1, leaves[tree.N-1])
}

func checkRecord(tree tlog.Tree, reader tlog.HashReader, n int64, leaf tlog.Hash) error {
	proof, err := tlog.ProveRecord(tree.N, n, reader)
	if err != nil {
		return fmt.Errorf("entry %d cannot be proven: %w", n, err)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
		return fmt.Errorf("entry %d is not in the tree: %w", n, err)
	}
	return nil
}

// hashes are all hashes of a log in tlog's order of storage.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		if index < 0 || index >= int64(len(h)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		found = append(found, h[index])
	}
	return found, nil
}

// tilesOf returns every tile of a level that holds count hashes, the last one partial.
func tilesOf(level int, count int64) []tlog.Tile {
	var tiles []tlog.Tile
	for n := int64(0); n<<height < count; n++ {
		w := count - n<<height
		if w > width {
			w = width
		}
		tiles = append(tiles, tlog.Tile{H: height, L: level, N: n, W: int(w)})
	}
	return tiles
}

// place returns the number and width of a tile as x/mod and C2SP write them alike: x001/234.p/5.
func place(tile tlog.Tile) string {
	tile.L = 0
	return strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/0/", height))
}

func hashPath(tile tlog.Tile) string {
	return fmt.Sprintf("tile/%d/%s", tile.L, place(tile))
}

// files fetches the files of a log over HTTP, each of them once. It is a tlog.TileReader.
type files struct {
	base   string
	client http.Client
	known  map[string][]byte
}

func newFiles(base string) *files {
	return &files{strings.TrimSuffix(base, "/"), http.Client{Timeout: time.Minute}, map[string][]byte{}}
}

func (f *files) fetch(path string) ([]byte, error) {
	if raw, ok := f.known[path]; ok {
		return raw, nil
	}
	answer, err := f.client.Get(f.base + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxFile+1))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d", path, answer.StatusCode)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%s is too long", path)
	}
	f.known[path] = raw
	return raw, nil
}

func (f *files) Height() int { return height }

func (f *files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		raw, err := f.fetch(hashPath(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, raw)
	}
	return data, nil
}

func (f *files) SaveTiles([]tlog.Tile, [][]byte) {}
