package pretend

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/shared/events/eventstest"
)

// outside lets the cloud tell its events through a cluster of somebody else.
func outside(c *eventstest.Cluster) func(*Config) {
	return func(conf *Config) {
		conf.Cloudctl = []string{"--events-url", strings.Join(c.URLs(), ","), "--events-ca", c.CA, "--events-credentials", c.Login("cloudctl")}
		conf.Walrus = []string{"--events-credentials", c.Login("walrus"), "--key-refresh", "2s"}
	}
}

// events reads the stream from a place on until it has one for which is says so.
func (c *Cloud) events(t *testing.T, after string, is func(subject, body string) bool) (next string) {
	t.Helper()
	err := c.Until(t.Context(), patience, func() (bool, error) {
		out, err := c.Admin.Call(t.Context(), "karri", "ReadEvents", params{"After": after, "Subject": "identity.>", "WaitSeconds": 1})
		if err != nil {
			return false, err
		}
		after = text(out, "Next")
		for _, e := range List(out, "Events") {
			if is(text(e, "Subject"), text(e, "Body")) {
				return true, nil
			}
		}
		return false, errors.New("it is not told")
	})
	if err != nil {
		t.Fatal(err)
	}
	return after
}

// A cloud tells its events through a cluster of three servers. While one of
// them dies, disabled keys are refused as soon as before; with all of them dead,
// within the bound of --key-refresh; and when they are back, who watches is told
// what happened meanwhile. What an outsider says opens nothing.
func TestEventsGoThroughAClusterOutside(t *testing.T) {
	nats := eventstest.New(t).Start()
	c := small(t, outside(nats))
	c.hears(t)
	out, err := c.Admin.Call(t.Context(), "karri", "ReadEvents", nil)
	if err != nil {
		t.Fatal(err)
	}
	id, user := c.account(t, "first")
	at := c.events(t, text(out, "Next"), func(subject, body string) bool { return strings.Contains(body, id) })
	t.Logf("refused after %s", c.refusedAfter(t, id, "first", user, soon))
	outsider := nats.Outsider()
	outsider.Say("karri.identity.account", []byte(`{"id":"x","subject":"identity.account","body":{"Account":"`+id+`","What":"resumed"}}`))
	for range 5 {
		var refusal *Refusal
		if err := user.Put(t.Context(), "first-pond", "fish", nil); !errors.As(err, &refusal) || refusal.Status != http.StatusForbidden {
			t.Errorf("after an outsider spoke: %v", err)
		}
	}
	outsider.Close()
	for _, name := range []string{"second", "third"} {
		id, user = c.account(t, name)
		has := nats.Has()
		dies := slices.Index(has[:], slices.Max(has[:]))
		nats.Stop(dies)
		t.Logf("server %d of %v died: refused after %s", dies, has, c.refusedAfter(t, id, name, user, soon))
		nats.Start()
		c.hears(t)
	}
	id, user = c.account(t, "fourth")
	for i := range 3 {
		nats.Stop(i)
	}
	t.Logf("all died: refused after %s", c.refusedAfter(t, id, "fourth", user, soon))
	nats.Start()
	from := time.Now()
	c.events(t, at, func(subject, body string) bool {
		return strings.Contains(body, id) && strings.Contains(body, "changed")
	})
	t.Logf("the stream caught up %s after the cluster came back", time.Since(from))
	c.hears(t)
	id, user = c.account(t, "fifth")
	t.Logf("refused after %s", c.refusedAfter(t, id, "fifth", user, soon))
}
