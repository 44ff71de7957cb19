package daemon_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"karri/walrus/daemon"
)

func TestLifecycleLooksAtDateTagAndSize(t *testing.T) {
	c := newClock()
	w := working(t, c, daemon.Config{})
	large := strings.Repeat("x", 3000)
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/draft", body: "x", headers: []string{"x-amz-tagging: state=draft&by=ann"}, status: 200},
		{method: "PUT", path: "/pond/final", body: "x", headers: []string{"x-amz-tagging: state=final&by=ann"}, status: 200},
		{method: "PUT", path: "/pond/large", body: large, status: 200},
		{method: "PUT", path: "/pond/small", body: "x", status: 200},
		{method: "PUT", path: "/pond/dated/a", body: "x", status: 200},
	})
	set(t, w, "/pond?lifecycle", `<LifecycleConfiguration>
		<Rule><ID>tag</ID><Status>Enabled</Status><Filter><And><Prefix></Prefix><Tag><Key>state</Key><Value>draft</Value></Tag><Tag><Key>by</Key><Value>ann</Value></Tag></And></Filter><Expiration><Days>1</Days></Expiration></Rule>
		<Rule><ID>size</ID><Status>Enabled</Status><Filter><ObjectSizeGreaterThan>2999</ObjectSizeGreaterThan></Filter><Expiration><Days>3</Days></Expiration></Rule>
		<Rule><ID>date</ID><Status>Enabled</Status><Filter><Prefix>dated/</Prefix></Filter><Expiration><Date>2030-03-12T00:00:00Z</Date></Expiration></Rule>
		<Rule><ID>off</ID><Status>Disabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>`)
	left := func(want ...string) {
		t.Helper()
		eventually(t, "what is left is "+strings.Join(want, ", "), func() bool { return slices.Equal(keys(t, w, "/pond"), want) })
	}
	c.move(36 * time.Hour)
	left("dated/a", "final", "large", "small")
	c.move(48 * time.Hour)
	left("dated/a", "final", "small")
	c.move(4 * 24 * time.Hour)
	left("final", "small")
	c.move(100 * 24 * time.Hour)
	play(t, w, []ask{{method: "PUT", path: "/pond/large", body: large, status: 200}})
	c.move(5 * 24 * time.Hour)
	left("final", "small")
}

func TestALockedVersionIsDeletedOnlyWhenItsTimeIsOver(t *testing.T) {
	c := newClock()
	w := working(t, c, daemon.Config{})
	play(t, w, []ask{
		{method: "PUT", path: "/vault", headers: []string{"x-amz-bucket-object-lock-enabled: true"}, status: 200},
		{method: "PUT", path: "/vault/held", body: "x", headers: []string{"x-amz-object-lock-legal-hold: ON", proof("x")}, status: 200},
		{method: "PUT", path: "/vault/kept", body: "x", headers: []string{"x-amz-object-lock-mode: COMPLIANCE", "x-amz-object-lock-retain-until-date: 2030-03-15T00:00:00Z", proof("x")}, status: 200},
	})
	version := func(key string) string {
		return "/vault/" + key + "?versionId=" + w.Do(t, ann, "HEAD", "/vault/"+key, "").Header.Get("X-Amz-Version-Id")
	}
	held, kept := version("held"), version("kept")
	off := "<LegalHold><Status>OFF</Status></LegalHold>"
	play(t, w, []ask{
		{method: "DELETE", path: held, status: 403, code: "AccessDenied"},
		{method: "DELETE", path: kept, status: 403, code: "AccessDenied"},
		{method: "DELETE", path: kept, headers: []string{"x-amz-bypass-governance-retention: true"}, status: 403, code: "AccessDenied"},
		{method: "DELETE", path: "/vault/kept", status: 204}, // a marker hides it
		{method: "GET", path: kept, status: 200},
	})
	c.move(11 * 24 * time.Hour)
	play(t, w, []ask{
		{method: "DELETE", path: kept, status: 204},
		{method: "DELETE", path: held, status: 403, code: "AccessDenied"},
		{method: "PUT", path: strings.Replace(held, "?", "?legal-hold&", 1), body: off, headers: []string{proof(off)}, status: 200},
		{method: "DELETE", path: held, status: 204},
	})
}
