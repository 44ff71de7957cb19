package daemon

import (
	"context"
	"fmt"
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
