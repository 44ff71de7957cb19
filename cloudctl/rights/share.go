package rights

import (
	"crypto/sha256"
	"sync"

	"karri/shared/identity"
	"karri/shared/policy"
)

// shares holds each distinct document once, however many have it, for as long
// as an entry of the cache does.
type shares struct {
	mu   sync.Mutex
	docs map[[sha256.Size]byte]*shared
	cost int
}

type shared struct {
	hash   [sha256.Size]byte
	policy *policy.Policy
	text   string
	uses   int
}

// costOf estimates what a compiled document takes: measured, it is some ten
// times its text and a little.
func costOf(text string) int { return 600 + 9*len(text) }

// take compiles the documents of i, or finds them compiled, and returns the
// rights with what is to be given back.
func (s *shares) take(i *identity.Identity) (*identity.Rights, []*shared, error) {
	var held []*shared
	r, err := i.Compile(func(d identity.Document) (*policy.Policy, error) {
		one, err := s.of(d)
		if err != nil {
			return nil, err
		}
		held = append(held, one)
		return one.policy, nil
	})
	if err != nil {
		s.give(held)
		return nil, nil, err
	}
	n := 0
	for _, part := range [][]identity.Document{i.Policies, i.Boundary, i.Session, i.Limits} {
		for k := range part { // in the order of Compile: the texts are shared too
			part[k].Text = held[n].text
			n++
		}
	}
	return r, held, nil
}

func (s *shares) of(d identity.Document) (*shared, error) {
	hash := sha256.Sum256([]byte(d.Name + "\x00" + d.ARN + "\x00" + d.Text))
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.docs[hash]; one != nil {
		one.uses++
		return one, nil
	}
	p, err := identity.Parse(d)
	if err != nil {
		return nil, err
	}
	one := &shared{hash: hash, policy: p, text: d.Text, uses: 1}
	if s.docs == nil {
		s.docs = map[[sha256.Size]byte]*shared{}
	}
	s.docs[hash] = one
	s.cost += costOf(d.Text)
	return one, nil
}

func (s *shares) give(held []*shared) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range held {
		if one.uses--; one.uses == 0 {
			delete(s.docs, one.hash)
			s.cost -= costOf(one.text)
		}
	}
}

// spent returns about how many bytes the documents take.
func (s *shares) spent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cost
}
