// A stranger's reader of a log: golang.org/x/mod alone, our pages for the rest. One JSON case a line in, "ok" or an error a line out.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type record struct {
	Index int64    // of the entry
	Path  []string // our inclusion proof, to be the very one that the tiles give
	Proof string   // our tlog-proof of it
}

type testCase struct {
	Vkey        string // of the log
	Folder      string // a copy of the log: checkpoint, tile/...
	Old         string // an earlier checkpoint
	Consistency []string
	Records     []record
}

// folder reads tiles as C2SP tlog-tiles names them: as the Go checksum database does, without the height.
type folder string

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), strings.Replace(t.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, errors.New("a tile is missing")
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) entry(index, size int64) ([]byte, error) {
	t := tlog.TileForIndex(height, tlog.StoredHashIndex(0, index))
	if t.W = 1 << height; (t.N+1)<<height > size {
		t.W = int(size % (1 << height))
	}
	name := strings.Replace(t.Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(string(f), name))
	if err != nil {
		return nil, errors.New("an entry bundle is missing")
	}
	for i := t.N << height; len(data) >= 2; i++ {
		n := int(data[0])<<8 | int(data[1])
		if len(data) < 2+n {
			break
		}
		if i == index {
			return data[2 : 2+n], nil
		}
		data = data[2+n:]
	}
	return nil, errors.New("the entry is not in its bundle")
}

func open(text, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func hashes(texts []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, text := range texts {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

func same(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func check(c testCase) error {
	copied := folder(c.Folder)
	text, err := os.ReadFile(filepath.Join(c.Folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := open(string(text), c.Vkey)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, copied)
	for _, r := range c.Records {
		if err := checkRecord(c, r, tree, reader, copied); err != nil {
			return fmt.Errorf("record %d: %w", r.Index, err)
		}
	}
	if c.Old == "" {
		return nil
	}
	old, err := open(c.Old, c.Vkey)
	if err != nil {
		return err
	}
	given, err := hashes(c.Consistency)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(given, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return err
	}
	if !same(proof, given) {
		return errors.New("the consistency proof is not the one of the tiles")
	}
	return nil
}

func checkRecord(c testCase, r record, tree tlog.Tree, reader tlog.HashReader, copied folder) error {
	entry, err := copied.entry(r.Index, tree.N)
	if err != nil {
		return err
	}
	given, err := hashes(r.Path)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(given, tree.N, tree.Hash, r.Index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	proof, err := tlog.ProveRecord(tree.N, r.Index, reader)
	if err != nil {
		return err
	}
	if !same(proof, given) {
		return errors.New("the inclusion proof is not the one of the tiles")
	}
	return checkText(r.Proof, c.Vkey, entry)
}

// checkText reads a C2SP tlog-proof.
func checkText(text, vkey string, entry []byte) error {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	path, err := hashes(lines[2:])
	if err != nil {
		return err
	}
	tree, err := open(checkpoint, vkey)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c testCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fmt.Println("not a case:", err)
		} else if err := check(c); err != nil {
			fmt.Println(strconv.Quote(err.Error()))
		} else {
			fmt.Println("ok")
		}
	}
}
