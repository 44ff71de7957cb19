package events

import (
	"slices"
	"sync/atomic"
	"testing"

	"karri/shared/pki"
)

func TestWhoWasCutOffIsTold(t *testing.T) {
	w := newNATS(t)
	store := w.join(t, walrus)
	var gaps atomic.Int32
	var users heard
	store.OnGap(func() { gaps.Add(1) })
	if _, err := store.Subscribe("identity.>", users.take); err != nil {
		t.Fatal(err)
	}
	eventually(t, "connected", store.Connected)
	w.stop()
	eventually(t, "cut off", func() bool { return !store.Connected() })
	if err := store.Publish(t.Context(), event("x", "bucket.acl")); err == nil {
		t.Error("published to nobody")
	}
	before := gaps.Load()
	w.start() // at another port
	eventually(t, "told of the gap", func() bool { return gaps.Load() > before })
	if err := w.join(t, cloudctl).Publish(t.Context(), event("after", "identity.user")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "hears again", func() bool { return slices.Equal(users.all(), []string{"after"}) })
}

func TestARoleHasItsSubjects(t *testing.T) {
	w := newNATS(t)
	cloud := w.join(t, cloudctl)
	var all, stolen heard
	if _, err := cloud.Subscribe(">", all.take); err != nil {
		t.Fatal(err)
	}
	block := w.join(t, pki.Identity{Role: pki.Blockstore, Zone: "z1"})
	store := w.join(t, walrus)
	eventually(t, "connected", func() bool { return block.Connected() && store.Connected() })
	for _, pattern := range []string{"identity.>", ">", "zone.z2.>"} {
		if _, err := block.Subscribe(pattern, stolen.take); err != nil {
			t.Fatal(err)
		}
	}
	_ = block.Publish(t.Context(), event("forged", "identity.user"))
	_ = store.Publish(t.Context(), event("forged", "identity.user"))
	if err := store.Publish(t.Context(), event("own", "bucket.acl")); err != nil {
		t.Fatal(err)
	}
	if err := cloud.Publish(t.Context(), event("true", "identity.user"), event("z2", "zone.z2.x")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what may be said is heard", func() bool { return len(all.all()) == 3 })
	if slices.Contains(all.all(), "forged") || len(stolen.all()) > 0 {
		t.Errorf("heard %v, stolen %v", all.all(), stolen.all())
	}
}

func TestStrangersAndNodesStayOut(t *testing.T) {
	w := newNATS(t)
	other, err := pki.NewRoot(w.root.Root.NotBefore)
	if err != nil {
		t.Fatal(err)
	}
	stranger := &natsWorld{t: t, root: other, server: w.server}
	in := w.join(t, walrus)
	out := stranger.join(t, walrus)
	eventually(t, "a component is in", in.Connected)
	if out.Connected() {
		t.Error("a component of another cloud is in")
	}
	if user(pki.Identity{Role: pki.Nodectl, Zone: "z", Name: "n"}) != nil {
		t.Error("a node is let in")
	}
}

func TestTheURLOfAnOutsideCluster(t *testing.T) {
	for u, ok := range map[string]bool{"tls://h:4222": true, "nats://10.0.0.1:4222": true, "tls://u:p@h:4222": false, "tls://h": false, "http://h:1": false, "": false, ":": false} {
		if got := CheckURL(u) == nil; got != ok {
			t.Errorf("%s: %v", u, got)
		}
	}
}
