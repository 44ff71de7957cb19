// Package chunk keeps snapshots in walrus: the bytes of a frozen volume cut in
// pieces, each an object named by its hash, and a manifest that names them.
//
// A piece is written before a manifest names it, and the manifest is the
// snapshot: what no manifest names is rubbish to sweep. A manifest is whole by
// itself. It inherits the names of the pieces that did not change from the
// manifest before it, so only changed pieces are read and sent, and any
// snapshot may be removed without the others. Pieces of zeros are not kept.
//
// Whoever reads a piece checks its hash: walrus, the wire and the disk may
// lose bytes but never change them unseen.
package chunk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"karri/blockstore/volume"
	"karri/shared/id"
)

// Size is the size of a piece, if a Store has no other. The last one of a
// volume may be shorter.
const Size = 1 << 20

// The sizes of pieces that a manifest may have.
const (
	leastSize = 4 << 10
	mostSize  = 16 << 20
)

// maxVolume bounds what a manifest may claim.
const maxVolume = 64 << 40

// A Hash is the SHA-256 of a piece; as text it is hexadecimal.
type Hash [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != 2*len(h) || !bytes.Equal(bytes.ToLower(b), b) {
		return fmt.Errorf("%q is not a hash", b)
	}
	_, err := hex.Decode(h[:], b)
	return err
}

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// A Piece is one that is not all zeros.
type Piece struct {
	Index int64 `json:"i"` // it begins at Index times the manifest's Piece
	Hash  Hash  `json:"h"`
}

// A Manifest is a whole snapshot.
type Manifest struct {
	Version int       `json:"version"` // 1
	Volume  id.Volume `json:"volume"`  // of which it is
	Size    int64     `json:"size"`    // of the volume, in bytes
	Piece   int64     `json:"piece"`   // size of a piece
	Pieces  []Piece   `json:"pieces"`  // by index; what is not here is zeros
}

// Decode reads a manifest and refuses one that could not have been written by
// Encode: it comes from outside and decides what is written where.
func Decode(r io.Reader) (*Manifest, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var m Manifest
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("manifest: something follows it")
	}
	switch {
	case m.Version != 1:
		return nil, fmt.Errorf("manifest: version %d is not known", m.Version)
	case !id.Valid[id.Volume](string(m.Volume)):
		return nil, fmt.Errorf("manifest: %q is not a volume", m.Volume)
	case m.Size <= 0 || m.Size > maxVolume:
		return nil, fmt.Errorf("manifest: size %d", m.Size)
	case m.Piece < leastSize || m.Piece > mostSize || m.Piece&(m.Piece-1) != 0:
		return nil, fmt.Errorf("manifest: pieces of %d", m.Piece)
	}
	last := int64(-1)
	for _, p := range m.Pieces {
		if p.Index <= last || p.Index > (m.Size-1)/m.Piece {
			return nil, fmt.Errorf("manifest: piece %d after %d of a volume of %d bytes", p.Index, last, m.Size)
		}
		last = p.Index
	}
	return &m, nil
}

// Encode is the reverse of Decode.
func (m *Manifest) Encode() ([]byte, error) { return json.Marshal(m) }

// at returns where piece i begins, and how many bytes it has.
func (m *Manifest) at(i int64) (off, n int64) { return i * m.Piece, min(m.Piece, m.Size-i*m.Piece) }

// pieces returns the indexes of the pieces of a size that the runs touch.
func pieces(runs []volume.Run, size int64) []int64 {
	var all []int64
	next := int64(0)
	for _, r := range runs {
		for i := max(next, r.Start/size); i*size < r.Start+r.Length; i++ {
			all = append(all, i)
			next = i + 1
		}
	}
	return all
}

// inherit returns the pieces of a manifest made from its parent's and those
// that were read anew; a nil hash stands for zeros.
func inherit(parent []Piece, anew map[int64]*Hash, todo []int64) []Piece {
	all := make([]Piece, 0, len(parent)+len(todo))
	for _, i := range todo {
		for len(parent) > 0 && parent[0].Index < i {
			all, parent = append(all, parent[0]), parent[1:]
		}
		if len(parent) > 0 && parent[0].Index == i {
			parent = parent[1:]
		}
		if h := anew[i]; h != nil {
			all = append(all, Piece{i, *h})
		}
	}
	return append(all, parent...)
}
