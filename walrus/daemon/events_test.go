package daemon

import (
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"karri/shared/events"
	"karri/walrus/index"
)

// What changes of who may do what with a bucket is told, once the relay runs,
// and is then no longer in the outbox; other settings are not told of.
func TestBucketsTellWhoMayDoWhat(t *testing.T) {
	x, err := index.OpenInMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	b := &index.Bucket{Name: "pond", Owner: "111111111111", Created: time.Now(), Settings: map[string][]byte{"acl": []byte("a")}}
	if err := x.CreateBucket(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"policy", "cors", "policy"} { // the last one changes nothing
		_, err := x.UpdateBucket(t.Context(), "pond", func(b *index.Bucket) error { b.Settings[name] = []byte("x"); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	bus := events.NewMemory()
	var mu sync.Mutex
	var heard []string
	_, err = bus.Subscribe("bucket.>", func(e events.Event) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, e.Subject+" "+e.Account())
	})
	if err != nil {
		t.Fatal(err)
	}
	relay := events.NewRelay(outbox{x, "walrus.karri"}, bus, slog.New(slog.DiscardHandler))
	if n, err := relay.Step(t.Context()); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := relay.Step(t.Context()); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	for range 1000 {
		mu.Lock()
		n := len(heard)
		mu.Unlock()
		if n == 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	bus.Close()
	if want := []string{"bucket.acl 111111111111", "bucket.policy 111111111111"}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
}
