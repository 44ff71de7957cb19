package store

import (
	"encoding/json"
	"slices"
	"time"
)

// An Announcement is a line of the outbox: what changed, to be told to whoever
// listens and then taken out.
type Announcement struct {
	Seq     int64 `gorm:"primaryKey"` // given by the database
	Subject string
	Body    []byte // JSON
	Created time.Time
}

// TableName names the table.
func (Announcement) TableName() string { return "announcements" }

// Announce writes a line in the transaction of the change that it tells of.
// Subjects are identity.KIND (user, group, role, policy, key, ...) and the like.
func (t *Tx) Announce(subject string, what any, now time.Time) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	a := &Announcement{Subject: subject, Body: body, Created: now}
	if err := t.g.Create(a).Error; err != nil {
		return wrap("announce", a, err)
	}
	t.said = append(t.said, a)
	return nil
}

// OnAnnounced makes f hear of each line that a transaction of this process
// announces, after its commit and before InTx returns, in any goroutine. f must
// be quick and not fail: it is for caches that drop what is not so any more.
func (s *Store) OnAnnounced(f func(subject string, body []byte)) {
	s.hearing.Lock()
	defer s.hearing.Unlock()
	s.hear = append(s.hear, f)
}

func (s *Store) announced(said []*Announcement) {
	if len(said) == 0 {
		return
	}
	s.hearing.Lock()
	hear := slices.Clone(s.hear)
	s.hearing.Unlock()
	for _, a := range said {
		for _, f := range hear {
			f(a.Subject, a.Body)
		}
	}
}

// Announcements returns up to max lines that were not told yet, the oldest first.
func (t *Tx) Announcements(max int) ([]Announcement, error) {
	return many[Announcement](t.g.Limit(max), "seq")
}

// Told takes lines out.
func (t *Tx) Told(seqs []int64) error {
	return t.g.Where("seq IN ?", seqs).Delete(&Announcement{}).Error
}

// A Change says what happened to a thing of IAM or an account. Whoever keeps
// rights in memory forgets those of the account.
type Change struct {
	Account string
	Kind    string // user, group, role, policy, key, account, ...
	ID      string
	Name    string
	ARN     string
	What    string // created, changed or deleted
}

// AnnounceChange announces a change under the subject identity.KIND.
func (t *Tx) AnnounceChange(c Change, now time.Time) error {
	return t.Announce("identity."+c.Kind, c, now)
}
