package identity

import (
	"crypto/sha256"
	"sync"

	"karri/shared/policy"
)

// Shares hold each distinct document compiled once, however many identities
// have it, for as long as one of them is held. They are what a cache of rights
// compiles with.
type Shares struct {
	mu   sync.Mutex
	docs map[[sha256.Size]byte]*Hold
	cost int
}

// A Hold is a document that somebody has taken.
type Hold struct {
	hash   [sha256.Size]byte
	policy *policy.Policy
	text   string
	uses   int
}

// costOf estimates what a compiled document takes: measured, it is some ten
// times its text and a little.
func costOf(text string) int { return 600 + 9*len(text) }

// Take compiles the documents of i, or finds them compiled, and returns the
// rights with what is to be given back.
func (s *Shares) Take(i *Identity) (*Rights, []*Hold, error) {
	var held []*Hold
	r, err := i.Compile(func(d Document) (*policy.Policy, error) {
		one, err := s.of(d)
		if err != nil {
			return nil, err
		}
		held = append(held, one)
		return one.policy, nil
	})
	if err != nil {
		s.Give(held)
		return nil, nil, err
	}
	n := 0
	for _, part := range [][]Document{i.Policies, i.Boundary, i.Session, i.Limits} { // as Compile does
		for k := range part { // the texts are shared too
			part[k].Text = held[n].text
			n++
		}
	}
	return r, held, nil
}

func (s *Shares) of(d Document) (*Hold, error) {
	hash := sha256.Sum256([]byte(d.Name + "\x00" + d.ARN + "\x00" + d.Text))
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.docs[hash]; one != nil {
		one.uses++
		return one, nil
	}
	p, err := Parse(d)
	if err != nil {
		return nil, err
	}
	one := &Hold{hash: hash, policy: p, text: d.Text, uses: 1}
	if s.docs == nil {
		s.docs = map[[sha256.Size]byte]*Hold{}
	}
	s.docs[hash] = one
	s.cost += costOf(d.Text)
	return one, nil
}

// Give gives back what was taken.
func (s *Shares) Give(held []*Hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range held {
		if one.uses--; one.uses == 0 {
			delete(s.docs, one.hash)
			s.cost -= costOf(one.text)
		}
	}
}

// Spent returns about how many bytes the documents take.
func (s *Shares) Spent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cost
}

// Len returns how many documents there are.
func (s *Shares) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.docs)
}
