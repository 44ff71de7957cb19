package events

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"karri/shared/pki"
)

// A signed is an event on NATS. Whoever reaches the server, and be it by the
// password of an outside cluster, says nothing in the name of a component
// whose key he has not. What was said once may be said again: it has the same
// ID, and what it does is harmless.
type signed struct {
	Event     []byte   `json:"event"` // JSON
	Chain     [][]byte `json:"chain"` // of the component, its own certificate first, without the root
	Signature []byte   `json:"signature"`
}

// signedFor begins what is signed, so that it is nothing else that the key signs.
const signedFor = "karri event 1\n"

func seal(e Event, self *pki.Credentials) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	m := signed{Event: text, Signature: ed25519.Sign(self.Key, append([]byte(signedFor), text...))}
	for _, c := range self.Chain {
		m.Chain = append(m.Chain, c.Raw)
	}
	return json.Marshal(m)
}

// A reader believes what components say on their own subjects.
type reader struct {
	self func() *pki.Credentials

	mu    sync.Mutex
	known map[[32]byte]speaker
}

// A speaker is a component whose chain was verified.
type speaker struct {
	id    pki.Identity
	key   ed25519.PublicKey
	until time.Time
}

// mostSpeakers is how many are remembered; with more, all are verified anew.
const mostSpeakers = 100

// read returns the event of a message that came under a subject.
func (r *reader) read(subject string, message []byte) (e Event, err error) {
	var m signed
	if err := json.Unmarshal(message, &m); err != nil {
		return e, errors.New("it is not signed")
	}
	who, err := r.speaker(m.Chain)
	if err != nil {
		return e, err
	}
	if !ed25519.Verify(who.key, append([]byte(signedFor), m.Event...), m.Signature) {
		return e, fmt.Errorf("it is not what %s signed", who.id)
	}
	if err := json.Unmarshal(m.Event, &e); err != nil {
		return e, err
	}
	if e.Subject != subject {
		return e, fmt.Errorf("%s said it of %q", who.id, e.Subject)
	}
	say, _ := subjects(who.id)
	if !slices.ContainsFunc(say, func(p string) bool { return Match(p, subject) }) {
		return e, fmt.Errorf("it is not for %s to say", who.id)
	}
	e.Source = who.id.String()
	return e, nil
}

func (r *reader) speaker(chain [][]byte) (speaker, error) {
	sum := sha256.New()
	for _, c := range chain {
		fmt.Fprintf(sum, "%d ", len(c))
		sum.Write(c)
	}
	name := [32]byte(sum.Sum(nil))
	now := time.Now()
	r.mu.Lock()
	who, ok := r.known[name]
	r.mu.Unlock()
	if ok && now.Before(who.until) {
		return who, nil
	}
	if len(chain) == 0 || len(chain) > 3 {
		return who, errors.New("it is not signed")
	}
	var certs []*x509.Certificate
	for _, der := range chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return who, err
		}
		certs = append(certs, c)
	}
	id, err := pki.Verify(certs, r.self().Root, now)
	if err != nil {
		return who, fmt.Errorf("no component of this cloud signed it: %w", err)
	}
	who = speaker{id: id, key: certs[0].PublicKey.(ed25519.PublicKey), until: certs[0].NotAfter} // pki.Verify takes no other key
	for _, c := range certs[1:] {
		if c.NotAfter.Before(who.until) {
			who.until = c.NotAfter
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= mostSpeakers {
		r.known = map[[32]byte]speaker{}
	}
	r.known[name] = who
	return who, nil
}

// subjects are what a component may say and hear, as patterns; nil: it has no
// part in this.
func subjects(id pki.Identity) (say, hear []string) {
	switch id.Role {
	case pki.Cloudctl:
		return []string{">"}, []string{">"}
	case pki.Walrus:
		return []string{"bucket.>"}, []string{"identity.>"}
	case pki.Clusterctl, pki.Blockstore:
		return []string{strings.Join([]string{id.Role, id.Zone, ">"}, ".")}, []string{"zone." + id.Zone + ".>"}
	}
	return nil, nil // nodes ask their clusterctl
}
