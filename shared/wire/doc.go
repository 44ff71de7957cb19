package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"karri/shared/fault"
)

// doc is an order list or a report as a Peer sees it: records by section and
// id. Its raw messages are never changed once made, so documents share them.
type doc map[string]map[string]json.RawMessage

// Change leads from one document to another. Without Base it is the whole.
type Change struct {
	Base string                                `json:"base,omitempty"` // digest of what it starts from
	Sum  string                                `json:"sum"`            // digest of what it leads to
	Set  map[string]map[string]json.RawMessage `json:"set,omitempty"`
	Drop map[string][]string                   `json:"drop,omitempty"`
}

func toDoc(v any) (doc, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var d doc
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fmt.Errorf("%T is not a struct of maps: %w", v, err)
	}
	return d, nil
}

func fromDoc[T any](d doc) (T, error) {
	var v T
	b, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	return v, err
}

// sum is equal for equal documents; an empty section is no section.
func (d doc) sum() string {
	h := sha256.New()
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	for _, section := range slices.Sorted(maps.Keys(d)) {
		for _, id := range slices.Sorted(maps.Keys(d[section])) {
			put([]byte(section))
			put([]byte(id))
			put(d[section][id])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// diff returns the change from d to to. base is d's digest; with "" the change
// is the whole of to.
func (d doc) diff(base string, to doc) Change {
	c := Change{Base: base, Sum: to.sum(), Set: map[string]map[string]json.RawMessage{}, Drop: map[string][]string{}}
	if base == "" {
		d = nil
	}
	for section, records := range to {
		for id, raw := range records {
			if old, ok := d[section][id]; !ok || !bytes.Equal(old, raw) {
				c.set(section, id, raw)
			}
		}
	}
	for section, records := range d {
		for id := range records {
			if _, ok := to[section][id]; !ok {
				c.Drop[section] = append(c.Drop[section], id)
			}
		}
		slices.Sort(c.Drop[section])
	}
	return c
}

func (c *Change) set(section, id string, raw json.RawMessage) {
	if c.Set[section] == nil {
		c.Set[section] = map[string]json.RawMessage{}
	}
	c.Set[section][id] = raw
}

// errBase says that the receiver does not hold what a change starts from. The
// sender answers it by sending the whole.
var errBase = fault.New(fault.Conflict, "BaseMismatch", "The change starts from something else than what is here; the whole is needed.")

// apply returns the document that c leads to from d. It does not change d.
func (d doc) apply(c Change) (doc, error) {
	to := doc{}
	if c.Base != "" {
		if c.Base != d.sum() {
			return nil, errBase
		}
		for section, records := range d {
			to[section] = maps.Clone(records)
		}
	}
	for section, ids := range c.Drop {
		for _, id := range ids {
			delete(to[section], id)
		}
	}
	for section, records := range c.Set {
		if to[section] == nil {
			to[section] = map[string]json.RawMessage{}
		}
		maps.Copy(to[section], records)
	}
	for section, records := range to {
		if len(records) == 0 {
			delete(to, section)
		}
	}
	if to.sum() != c.Sum {
		return nil, errBase
	}
	return to, nil
}
