package store

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestWhatWasAnnouncedIsHeardAfterTheCommit(t *testing.T) {
	s, ctx := open(t), t.Context()
	var heard []string
	s.OnAnnounced(func(subject string, body []byte) {
		var waiting []Announcement
		err := s.View(ctx, func(tx *Tx) (err error) { waiting, err = tx.Announcements(10); return err })
		if err != nil || len(waiting) == 0 {
			t.Errorf("%s is heard before it can be read: %v", subject, err)
		}
		heard = append(heard, subject+string(body))
	})
	say := func(subject string, fail error) error {
		return s.InTx(ctx, func(tx *Tx) error {
			if err := tx.Announce(subject, 1, time.Unix(1, 0)); err != nil {
				return err
			}
			return fail
		})
	}
	if err := say("identity.user", nil); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	if err := say("identity.role", no); !errors.Is(err, no) {
		t.Fatal(err)
	}
	if want := []string{"identity.user1"}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
}
