package pretend

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"karri/shared/sign"
)

// small opens a cloud of one host on this machine's own network.
func small(t *testing.T, more func(*Config)) *Cloud {
	t.Helper()
	conf := Config{Dir: t.TempDir(), Zones: 1, Hosts: 1}
	if more != nil {
		more(&conf)
	}
	c, err := Open(t.Context(), conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// account makes an account with a bucket, whose keys walrus knows.
func (c *Cloud) account(t *testing.T, name string) (id string, user *Client) {
	t.Helper()
	out, err := c.Admin.Call(t.Context(), "karri", "CreateAccount", params{"Name": name})
	if err != nil {
		t.Fatal(err)
	}
	user = c.As(sign.Credentials{AccessKey: out["AccessKeyId"].(string), Secret: out["SecretAccessKey"].(string)})
	t.Cleanup(user.Close)
	if err := user.Put(t.Context(), name+"-pond", "fish", []byte("carp")); err != nil {
		t.Fatal(err)
	}
	return out["AccountId"].(string), user
}

// hears waits until walrus is connected to the event server.
func (c *Cloud) hears(t *testing.T) {
	t.Helper()
	err := c.Until(t.Context(), patience, func() (bool, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.addrs["walrus-admin"]+"/metrics", nil)
		if err != nil {
			return false, err
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return false, err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return strings.Contains(string(b), "\nwalrus_events_connected 1\n"), err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// refusedAfter suspends an account and returns how long walrus goes on to serve it.
func (c *Cloud) refusedAfter(t *testing.T, id, name string, user *Client, most time.Duration) time.Duration {
	t.Helper()
	for range 3 { // so that walrus has the key at hand
		if err := user.Put(t.Context(), name+"-pond", "fish", nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Admin.Call(t.Context(), "karri", "SuspendAccount", params{"AccountId": id}); err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	for time.Since(from) < most {
		err := user.Put(t.Context(), name+"-pond", "fish", nil)
		if refusal, is := errors.AsType[*Refusal](err); is && refusal.Status == http.StatusForbidden {
			return time.Since(from)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s is still served after %s", name, most)
	return 0
}

// A disabled key is refused at once where events come, also after the event
// server was away, and within the bound of the configuration where none come.
// soon is far below the 30 s after which walrus asks without being told, and
// far above what a busy machine needs for it.
const soon = 8 * time.Second

func TestADisabledKeyIsRefusedAtOnce(t *testing.T) {
	c := small(t, nil)
	c.hears(t)
	id, user := c.account(t, "first")
	t.Logf("refused after %s", c.refusedAfter(t, id, "first", user, soon))
	id, user = c.account(t, "second")
	if err := c.Stop("cloudctl"); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context(), "cloudctl"); err != nil {
		t.Fatal(err)
	}
	if err := c.Until(t.Context(), patience, func() (bool, error) {
		_, err := c.Admin.Call(t.Context(), "sts", "GetCallerIdentity", nil)
		return err == nil, err
	}); err != nil {
		t.Fatal(err)
	}
	c.hears(t)
	t.Logf("after the event server was away: refused after %s", c.refusedAfter(t, id, "second", user, soon))
}

func TestWithoutEventsADisabledKeyIsRefusedWithinTheBound(t *testing.T) {
	c := small(t, func(conf *Config) {
		conf.Cloudctl, conf.Walrus = []string{"--events-listen", "off"}, []string{"--key-refresh", "2s"}
	})
	id, user := c.account(t, "first")
	t.Logf("refused after %s", c.refusedAfter(t, id, "first", user, soon))
}
