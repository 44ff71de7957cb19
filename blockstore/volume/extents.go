package volume

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// extent is a run of the volume that is found in one place.
type extent struct {
	Start  int64 `json:"start"`
	Length int64 `json:"length"`
	Depth  int   `json:"depth"`   // how far below the top of the stack
	Here   bool  `json:"present"` // some layer holds it
	Zero   bool  `json:"zero"`    // it reads as zeros
	Data   bool  `json:"data"`    // its bytes are in the layer's file, at Offset
	Offset int64 `json:"offset"`
}

// parseMap reads what `qemu-img map --output=json` prints for a stack of so
// many layers and bytes. The extents must follow each other without a gap,
// or the copy would have silent holes.
func parseMap(r io.Reader, layers int, size int64) ([]extent, error) {
	dec := json.NewDecoder(r)
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, fmt.Errorf("map: no list: %v", err)
	}
	var all []extent
	next := int64(0)
	for dec.More() {
		e := extent{Offset: -1}
		if err := dec.Decode(&e); err != nil {
			return nil, fmt.Errorf("map: %w", err)
		}
		switch {
		case e.Start != next || e.Length <= 0 || e.Length > size-e.Start:
			return nil, fmt.Errorf("map: extent %d+%d does not follow %d", e.Start, e.Length, next)
		case e.Here && (e.Depth < 0 || e.Depth >= layers):
			return nil, fmt.Errorf("map: extent at %d is in layer %d of %d", e.Start, e.Depth, layers)
		case e.Data && !e.Zero && (!e.Here || e.Offset < 0):
			return nil, fmt.Errorf("map: extent at %d has bytes but no place", e.Start)
		}
		next = e.Start + e.Length
		all = append(all, e)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("map: not closed: %w", err)
	}
	if next != size {
		return nil, fmt.Errorf("map: ends at %d of %d", next, size)
	}
	return all, nil
}

// frozen reads the files of a stack of frozen layers by their map.
type frozen struct {
	size    int64
	extents []extent
	layers  []Layer    // lowest first
	files   []*os.File // one for each layer
}

func (f *frozen) Size() int64 { return f.size }

func (f *frozen) layerOf(e extent) int { return len(f.layers) - 1 - e.Depth }

// Changed joins the runs that touch.
func (f *frozen) Changed(since int) []Run {
	var runs []Run
	for _, e := range f.extents {
		switch {
		case !e.Here:
			continue
		case since < 0 && (e.Zero || !e.Data):
			continue
		case since >= 0 && f.layers[f.layerOf(e)].Number <= since:
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].Start+runs[n-1].Length == e.Start {
			runs[n-1].Length += e.Length
			continue
		}
		runs = append(runs, Run{e.Start, e.Length})
	}
	return runs
}

func (f *frozen) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= f.size {
		return 0, io.EOF
	}
	want := p
	if int64(len(p)) > f.size-off {
		want = p[:f.size-off]
	}
	i, _ := slices.BinarySearchFunc(f.extents, off, func(e extent, off int64) int {
		if e.Start+e.Length <= off {
			return -1
		}
		return 1
	})
	for done := 0; done < len(want); i++ {
		e := f.extents[i]
		skip := off + int64(done) - e.Start
		part := want[done:min(len(want), done+int(min(e.Length-skip, int64(len(want)))))]
		if e.Zero || !e.Data {
			clear(part)
		} else if n, err := f.files[f.layerOf(e)].ReadAt(part, e.Offset+skip); err != nil && !(err == io.EOF && n == len(part)) {
			if err == io.EOF {
				err = fmt.Errorf("%s ends too early: %w", f.files[f.layerOf(e)].Name(), io.ErrUnexpectedEOF)
			}
			return done, err
		}
		done += len(part)
	}
	if len(want) < len(p) {
		return len(want), io.EOF
	}
	return len(want), nil
}

func (f *frozen) Close() error {
	var err error
	for _, file := range f.files {
		err = errors.Join(err, file.Close())
	}
	return err
}
