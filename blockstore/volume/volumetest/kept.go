package volumetest

import (
	"encoding/json"

	"karri/shared/id"
)

// kept is a Fake as it is written down, so that it may outlive its process.
type kept struct {
	Stacks map[id.Volume]keptStack
	Drafts map[id.Volume]keptDraft
}

type keptStack struct {
	Size   int64
	Layers []keptLayer
}

type keptLayer struct {
	Number int
	Blocks map[int64][]byte
}

type keptDraft struct {
	Size   int64
	Blocks map[int64][]byte
	Filled int
}

// MarshalJSON writes down all that there is.
func (f *Fake) MarshalJSON() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := kept{map[id.Volume]keptStack{}, map[id.Volume]keptDraft{}}
	for v, s := range f.stacks {
		one := keptStack{Size: s.size}
		for _, l := range s.layers {
			one.Layers = append(one.Layers, keptLayer{l.number, l.blocks})
		}
		k.Stacks[v] = one
	}
	for v, d := range f.drafts {
		k.Drafts[v] = keptDraft{d.size, d.blocks, d.filled}
	}
	return json.Marshal(k)
}

// UnmarshalJSON puts what was written down in place of what there is. Who
// serves a volume has to Hold it again.
func (f *Fake) UnmarshalJSON(text []byte) error {
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stacks, f.drafts = map[id.Volume]*stack{}, map[id.Volume]*draftBytes{}
	for v, s := range k.Stacks {
		one := &stack{size: s.Size}
		for _, l := range s.Layers {
			one.layers = append(one.layers, &layer{l.Number, l.Blocks})
		}
		f.stacks[v] = one
	}
	for v, d := range k.Drafts {
		f.drafts[v] = &draftBytes{d.Size, d.Blocks, d.Filled}
	}
	return nil
}
