// Verifies a published log with nothing of its operator's: go run . <prefix> <verifier key>
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type files string // where the files of the log are: an address

func (f files) get(path string) []byte {
	answer, err := http.Get(string(f) + "/" + path)
	if err != nil || answer.StatusCode != 200 {
		log.Fatal(path, answer, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	return data
}

func (f files) Height() int                     { return 8 }
func (f files) SaveTiles([]tlog.Tile, [][]byte) {}
func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles { // Go writes tile/8/0/000 where the specification has tile/0/000
		found = append(found, f.get(strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
	}
	return found, nil
}

func main() {
	f := files(os.Args[1])
	verifier, err := note.NewVerifier(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	signed, err := note.Open(f.get("checkpoint"), note.VerifierList(verifier))
	if err != nil {
		log.Fatal(err)
	}
	lines := strings.SplitN(signed.Text, "\n", 4) // the name of the log, its size, its root
	tree := tlog.Tree{}
	fmt.Sscan(lines[1], &tree.N)
	if tree.Hash, err = tlog.ParseHash(lines[2]); err != nil {
		log.Fatal(err)
	}
	hashes := tlog.TileHashReader(tree, f) // reads no hash that does not lead to the root
	for start := int64(0); start < tree.N; start += 256 {
		width := min(256, tree.N-start)
		bundle := f.get(strings.Replace(tlog.Tile{H: 8, L: -1, N: start / 256, W: int(width)}.Path(), "tile/8/data/", "tile/entries/", 1))
		for index := start; index < start+width; index++ {
			length := binary.BigEndian.Uint16(bundle)
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
			if err != nil {
				log.Fatal(err)
			}
			if leaf[0] != tlog.RecordHash(entry) && length > 0 { // an empty entry: its line is withheld
				log.Fatalf("position %d is not the event that was signed", index+1)
			}
		}
	}
	fmt.Printf("%s: %d events, as signed by %s\n", lines[0], tree.N, signed.Sigs[0].Name)
}
