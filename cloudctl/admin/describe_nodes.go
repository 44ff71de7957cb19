package admin

import (
	"cmp"
	"context"
	"slices"
	"time"

	"karri/shared/action"
	"karri/shared/wire"
)

// DescribeNodesInput narrows the list of nodes.
type DescribeNodesInput struct {
	NodeNames []string
	Filters   []action.Filter
}

// DescribeNodesOutput lists the nodes of all zones.
type DescribeNodesOutput struct{ Nodes []Node }

// Node is a host as its zone reported it.
type Node struct {
	NodeName    string
	Zone        string
	State       string // ready or away
	Accelerator string // kvm or qemu, by measurement
	UsedVCpus   int
	VCpus       int
	UsedMiB     int
	MemoryMiB   int
	UsedGiB     int
	DiskGiB     int
	Seen        time.Time
	Trouble     *string
}

var _ = action.Add(Catalog, action.Def[*API, DescribeNodesInput, DescribeNodesOutput]{
	Name: "DescribeNodes",
	Doc:  "Lists the hosts of the cloud with their health and what they carry.",
	On:   action.AdminOnly[*API, DescribeNodesInput],
	List: &action.List{Filters: []string{"node-name", "zone", "state"}},
	Run:  describeNodes,
})

func describeNodes(_ context.Context, api *API, _ action.Caller, in *DescribeNodesInput) (*DescribeNodesOutput, error) {
	var all []Node
	for _, zone := range api.Reports.Zones() {
		for name, n := range api.Reports.Cluster(zone).Nodes {
			all = append(all, node(zone, name, n))
		}
	}
	all = action.Select(in.Filters, all, func(Node) map[string]string { return nil }, func(n Node, name string) []string {
		return map[string][]string{"node-name": {n.NodeName}, "zone": {n.Zone}, "state": {n.State}}[name]
	})
	if len(in.NodeNames) > 0 {
		all = action.Select([]action.Filter{{Name: "node-name", Values: in.NodeNames}}, all, func(Node) map[string]string { return nil },
			func(n Node, _ string) []string { return []string{n.NodeName} })
	}
	sortNodes(all)
	return &DescribeNodesOutput{all}, nil
}

func node(zone, name string, n wire.Node) Node {
	out := Node{NodeName: name, Zone: zone, State: string(n.State), Accelerator: n.Accelerator, Seen: n.Seen,
		UsedVCpus: n.Used.VCPUs, VCpus: n.Total.VCPUs, UsedMiB: n.Used.MemoryMiB, MemoryMiB: n.Total.MemoryMiB, UsedGiB: n.Used.DiskGiB, DiskGiB: n.Total.DiskGiB}
	if n.Trouble != "" {
		out.Trouble = &n.Trouble
	}
	return out
}

func sortNodes(all []Node) {
	slices.SortFunc(all, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.NodeName, b.NodeName))
	})
}
