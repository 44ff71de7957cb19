package store

import (
	"encoding/json"
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
	return wrap("announce", a, t.g.Create(a).Error)
}

// Announcements returns up to max lines that were not told yet, the oldest first.
func (t *Tx) Announcements(max int) ([]Announcement, error) {
	return many[Announcement](t.g.Limit(max), "seq")
}

// Told takes lines out.
func (t *Tx) Told(seqs []int64) error {
	return t.g.Where("seq IN ?", seqs).Delete(&Announcement{}).Error
}
