package metadata

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// above is the tier that makes credentials, six hours each.
type above struct {
	mu    sync.Mutex
	now   *time.Time
	asked int
	err   error
	by    string
}

func (a *above) ask(_ context.Context, i id.Instance, w wire.CredentialsOf) (wire.Credentials, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	a.by = w.Association
	if a.err != nil {
		return wire.Credentials{}, a.err
	}
	return wire.Credentials{AccessKey: "ASIA" + string(i), Secret: "s3cret", Token: "tok" + w.Association, Issued: *a.now, Expires: a.now.Add(6 * time.Hour)}, nil
}

func withRole(association string) wire.NodeOrders {
	o := book()
	for _, n := range []id.Instance{"i-00000000000000001", "i-00000000000000003"} {
		i := o.Instances[n]
		i.Profile = &wire.Profile{Association: association, ARN: "arn:aws:iam::123456789012:instance-profile/web", ID: "AIPAWEB", Role: "web"}
		o.Instances[n] = i
	}
	return o
}

func roleClient(t *testing.T) (*client, *above, *string) {
	c := newClient(t)
	association := "iip-assoc-1"
	a := &above{now: &c.now}
	c.s.opt.Orders = func() wire.NodeOrders { return withRole(association) }
	c.s.opt.Roles = NewRoles(a.ask, func() time.Time { return c.now })
	return c, a, &association
}

const rolePath = "/latest/meta-data/iam/security-credentials/"

func TestTheRoleOfAnInstance(t *testing.T) {
	c, a, _ := roleClient(t)
	for path, want := range map[string]string{
		"/latest/meta-data/iam/":          "info\nsecurity-credentials/",
		rolePath:                          "web",
		strings.TrimSuffix(rolePath, "/"): "web",
	} {
		if w := c.do(vpcA, 1, "GET", path); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	if a.asked != 0 {
		t.Error("a list asks for credentials")
	}
	var info, got map[string]string
	if err := json.Unmarshal(c.do(vpcA, 1, "GET", "/latest/meta-data/iam/info").Body.Bytes(), &info); err != nil ||
		info["InstanceProfileArn"] != "arn:aws:iam::123456789012:instance-profile/web" || info["InstanceProfileId"] != "AIPAWEB" || info["Code"] != "Success" {
		t.Error(info, err)
	}
	w := c.do(vpcA, 1, "GET", rolePath+"web")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
		t.Fatal(w.Code, w.Body, err)
	}
	for name, want := range map[string]string{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAi-00000000000000001", "SecretAccessKey": "s3cret",
		"Token": "tokiip-assoc-1", "LastUpdated": c.now.UTC().Format(time.RFC3339), "Expiration": c.now.Add(6 * time.Hour).UTC().Format(time.RFC3339)} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	for _, bad := range []string{rolePath + "db", rolePath + "web/", rolePath + "web/x"} {
		if w := c.do(vpcA, 1, "GET", bad); w.Code != 404 || strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
	if w := c.do(vpcB, 1, "GET", rolePath); w.Code != 404 {
		t.Error("an instance without a role", w.Code, w.Body)
	}
	if w := c.do(vpcA, 3, "GET", rolePath+"web"); w.Code != 401 {
		t.Error("without a token:", w.Code, w.Body)
	}
	if w := c.do(vpcA, 3, "GET", rolePath+"web", tokenHeader, c.token(vpcA, 3)); w.Code != 200 || !strings.Contains(w.Body.String(), "ASIAi-00000000000000003") {
		t.Error(w.Code, w.Body)
	}
}

func TestCredentialsOutliveWhoMakesThem(t *testing.T) {
	c, a, association := roleClient(t)
	status := func(want, asked int) {
		t.Helper()
		w := c.do(vpcA, 1, "GET", rolePath+"web")
		if w.Code != want || a.asked != asked {
			t.Errorf("%d, asked %d times; want %d and %d: %s", w.Code, a.asked, want, asked, w.Body)
		}
	}
	a.err = fault.New(fault.Later, "Unavailable", "x")
	status(503, 1)
	status(503, 1) // not asked again at once
	c.now = c.now.Add(resting)
	a.err = nil
	status(200, 2)
	status(200, 2)
	a.err = errors.New("away")
	c.now = c.now.Add(4*time.Hour + time.Minute) // it is to be renewed
	status(200, 3)
	c.now = c.now.Add(time.Hour + 50*time.Minute)
	status(200, 4)
	c.s.opt.Roles.Pass(t.Context(), c.s.opt.Orders())
	status(200, 4)
	c.now = c.now.Add(10 * time.Minute) // it has ended
	status(503, 5)
	a.err = nil
	c.now = c.now.Add(resting)
	status(200, 6)
	c.now = c.now.Add(4*time.Hour + time.Minute)
	c.s.opt.Roles.Pass(t.Context(), c.s.opt.Orders()) // renewed though nobody asks
	if a.asked != 7 {
		t.Error(a.asked)
	}
	status(200, 7)
	*association = "iip-assoc-2" // another role: the old credentials are not served
	status(200, 8)
	if a.by != "iip-assoc-2" {
		t.Error(a.by)
	}
	a.err = fault.New(fault.Denied, wire.NoRole, "x")
	c.now = c.now.Add(5 * time.Hour)
	status(404, 9)
	*association = "iip-assoc-3"
	c.s.opt.Roles.Pass(t.Context(), c.s.opt.Orders())
	if len(c.s.opt.Roles.held) != 0 {
		t.Error("what is no longer ordered is kept")
	}
}

func TestManyAskOnce(t *testing.T) {
	c, a, _ := roleClient(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := c.s.opt.Roles.Get(t.Context(), "i-00000000000000001", "x"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a.asked != 1 {
		t.Errorf("asked %d times", a.asked)
	}
}
