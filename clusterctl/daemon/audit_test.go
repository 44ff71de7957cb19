package daemon

import (
	"fmt"
	"net/url"
	"testing"

	"karri/shared/audit"
	"karri/shared/fault"
	"karri/shared/pki"
)

// cloudctl reads the log of a node by way of its clusterctl, from where it
// stopped, and nobody else does; the node answers nobody but its clusterctl.
func TestTheLogOfANodeIsReadThroughItsCluster(t *testing.T) {
	c := newCloud(t)
	_, node := c.node(t, "n1")
	read := func(after url.Values) (p audit.Part) {
		t.Helper()
		if err := c.cluster.Call(t.Context(), "GET", "/v1/nodes/n1/audit", after, nil, &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	direct := c.Client(pki.Identity{Role: pki.Nodectl, Zone: zone, Name: "n1"}, node.Addr)
	defer direct.Close()
	if err := direct.Call(t.Context(), "GET", "/v1/audit", nil, nil, nil); fault.CodeOf(err) != "NotForYou" {
		t.Errorf("cloudctl speaks to a node: %v", err)
	}
	if err := node.Audit.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := read(nil)
	if p.Log != node.Audit.ID() || len(p.Lines) == 0 || p.Head.Seq == 0 {
		t.Errorf("%+v", p)
	}
	var r audit.Report
	after := url.Values{"after": {fmt.Sprint(p.Head.Seq)}, "hash": {p.Head.Hash}}
	if err := c.cluster.Call(t.Context(), "GET", "/v1/nodes/n1/audit/verify", after, nil, &r); err != nil || r.Log != p.Log || len(r.Problems) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, l := range read(after).Lines {
		for _, old := range p.Lines {
			if l == old {
				t.Errorf("a line is read twice: %s", l)
			}
		}
	}
	after.Set("hash", p.Log)
	if err := c.cluster.Call(t.Context(), "GET", "/v1/nodes/n1/audit", after, nil, nil); fault.CodeOf(err) != audit.Cut.Code {
		t.Errorf("a log with another line there: %v", err)
	}
	if err := c.cluster.Call(t.Context(), "GET", "/v1/nodes/n2/audit", nil, nil, nil); fault.CodeOf(err) != "NoSuchNode" {
		t.Errorf("no such node: %v", err)
	}
	up := node.Client(pki.Identity{Role: pki.Clusterctl, Zone: zone}, node.Peers[pki.Clusterctl])
	defer up.Close()
	if err := up.Call(t.Context(), "GET", "/v1/nodes/n1/audit", nil, nil, nil); fault.CodeOf(err) != "NotForYou" {
		t.Errorf("a node reads a log: %v", err)
	}
}
