package daemon

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/sign"
)

// A cloudctl that knows every key, or does not answer.
type cloudctl struct {
	asked int
	err   error
}

func (c *cloudctl) Call(_ context.Context, _, path string, _ map[string][]string, in, out any) error {
	c.asked++
	if in, ok := in.(checkV2Request); ok && c.err == nil {
		if in.Signature != "of "+in.StringToSign {
			return fault.New(fault.Denied, "SignatureDoesNotMatch", "wrong")
		}
		*out.(*sign.Key) = sign.Key{Account: in.AccessKey, State: sign.Active, Identity: identity.RootOf(in.AccessKey, false)}
		return nil
	}
	if c.err == nil {
		*out.(*sign.Key) = sign.Key{Account: in.(deriveRequest).AccessKey, State: sign.Active, Identity: identity.RootOf(in.(deriveRequest).AccessKey, false)}
	}
	return c.err
}

func ask(k *keys, accessKey string) string {
	key, err := k.SigningKey(context.Background(), accessKey, "", "20260101", "r", "s3")
	if err != nil {
		return fault.CodeOf(err)
	}
	return key.Account
}

func TestKeysHaveTwoBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &cloudctl{}
		k := &keys{cloud: cloud, refresh: 30 * time.Second, stale: time.Hour}
		want := func(asked int, answer string) {
			t.Helper()
			if got := ask(k, "a"); got != answer || cloud.asked != asked {
				t.Errorf("got %s after %d questions, want %s after %d", got, cloud.asked, answer, asked)
			}
		}
		want(1, "a")
		time.Sleep(29 * time.Second)
		want(1, "a") // remembered
		time.Sleep(2 * time.Second)
		want(2, "a") // asked again
		cloud.err = fault.New(fault.Later, "PeerAway", "away")
		time.Sleep(31 * time.Second)
		want(3, "a") // stale
		want(3, "a") // and cloudctl is left alone for a while
		time.Sleep(3 * time.Second)
		want(4, "a")
		time.Sleep(time.Hour)
		want(5, "ServiceUnavailable")
		cloud.err = nil
		want(6, "a")
		cloud.err = fault.New(fault.Missing, "NoSuchKey", "deleted")
		time.Sleep(31 * time.Second)
		want(7, "NoSuchKey") // its word counts at once
		cloud.err = fault.New(fault.Later, "PeerAway", "away")
		want(8, "ServiceUnavailable") // and what was known before is forgotten
	})
}

func TestKeysAreForgottenInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keys{cloud: &cloudctl{}, refresh: 30 * time.Second, stale: time.Hour}
		for i := range maxKnown + 100 {
			ask(k, fmt.Sprint(i))
		}
		if len(k.known) > maxKnown {
			t.Errorf("%d are remembered", len(k.known))
		}
	})
}

func TestASignatureOfVersion2IsAskedOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &cloudctl{}
		k := &keys{cloud: cloud, refresh: 30 * time.Second, stale: time.Hour}
		want := func(key, token, text, signature string, asked int, answer string) {
			t.Helper()
			got, err := k.CheckV2(t.Context(), key, token, "HmacSHA1", text, signature)
			if code := fault.CodeOf(err); err != nil && code != answer || err == nil && got.Account != answer || cloud.asked != asked {
				t.Errorf("got %s, %v after %d questions, want %s after %d", got.Account, err, cloud.asked, answer, asked)
			}
		}
		want("a", "", "GET x", "of GET x", 1, "a")
		want("a", "", "GET x", "of GET x", 1, "a")                     // remembered
		want("a", "", "GET y", "of GET y", 2, "a")                     // each for itself
		want("a", "", "GET y", "of GET x", 3, "SignatureDoesNotMatch") // for what it signed
		want("a", "", "GET y", "of GET x", 4, "SignatureDoesNotMatch") // one that is wrong is not
		want("b", "", "GET x", "of GET x", 5, "b")                     // with its key
		want("a", "session", "GET x", "of GET x", 6, "a")              // and its session
		want("a", "", "GET x", "of GET x", 6, "a")                     // a wrong one cost nothing
		k.drop("a")
		want("a", "", "GET x", "of GET x", 7, "a") // something changed
		time.Sleep(31 * time.Second)
		want("a", "", "GET x", "of GET x", 8, "a") // too old
		k.suspect()
		want("a", "", "GET x", "of GET x", 9, "a")
		cloud.err = fault.New(fault.Later, "PeerAway", "away")
		time.Sleep(31 * time.Second)
		want("a", "", "GET x", "of GET x", 10, "a") // stale
		want("a", "", "GET x", "of GET x", 10, "a")
		want("a", "", "GET z", "of GET z", 11, "ServiceUnavailable")
		time.Sleep(time.Minute)
		cloud.err = fault.New(fault.Missing, "NoSuchKey", "deleted")
		want("a", "", "GET x", "of GET x", 12, "NoSuchKey")
		cloud.err = fault.New(fault.Later, "PeerAway", "away")
		want("a", "", "GET x", "of GET x", 13, "ServiceUnavailable")
	})
}

// slow answers when it is told to, and counts who waits.
type slow struct {
	cloudctl
	waits   atomic.Int64
	most    atomic.Int64
	release chan struct{}
}

func (c *slow) Call(ctx context.Context, method, path string, query map[string][]string, in, out any) error {
	n := c.waits.Add(1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	defer c.waits.Add(-1)
	select {
	case <-c.release:
	case <-ctx.Done():
		return ctx.Err()
	}
	*out.(*sign.Key) = sign.Key{Account: "a", State: sign.Active, Identity: identity.RootOf("a", false)}
	return nil
}

func TestNotTooManySignaturesAreAskedOfAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &slow{release: make(chan struct{})}
		k := &keys{cloud: cloud, refresh: 30 * time.Second, stale: time.Hour}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if _, err := k.CheckV2(t.Context(), "a", "", "HmacSHA1", fmt.Sprint(i), "x"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(cloud.release)
		all.Wait()
		if n := cloud.most.Load(); n != maxChecks {
			t.Errorf("%d were asked at once", n)
		}
	})
}
