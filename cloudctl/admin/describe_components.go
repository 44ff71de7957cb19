package admin

import (
	"context"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeComponentsInput narrows the list of components.
type DescribeComponentsInput struct {
	Filters []action.Filter
}

// DescribeComponentsOutput lists the components that joined.
type DescribeComponentsOutput struct{ Components []Component }

// Component is a daemon of the cloud.
type Component struct {
	ComponentName string
	Role          string
	Zone          *string
	Address       string // host:port of its internal API
	Joined        time.Time
	Heard         *time.Time // when its last report came; only those of a zone report
}

var _ = action.Add(Catalog, action.Def[*API, DescribeComponentsInput, DescribeComponentsOutput]{
	Name: "DescribeComponents",
	Doc:  "Lists the daemons that joined the cloud, except the nodes.",
	On:   action.AdminOnly[*API, DescribeComponentsInput],
	List: &action.List{Filters: []string{"component-name", "role", "zone"}},
	Run:  describeComponents,
})

func describeComponents(ctx context.Context, api *API, _ action.Caller, in *DescribeComponentsInput) (*DescribeComponentsOutput, error) {
	var rows []store.Component
	err := api.Accounts.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Components()
		return err
	})
	rows = action.Select(in.Filters, rows, func(store.Component) map[string]string { return nil }, func(c store.Component, name string) []string {
		return map[string][]string{"component-name": {c.Name}, "role": {c.Role}, "zone": {c.Zone}}[name]
	})
	out := &DescribeComponentsOutput{}
	for _, c := range rows {
		out.Components = append(out.Components, api.component(c))
	}
	return out, err
}

func (api *API) component(c store.Component) Component {
	out := Component{ComponentName: c.Name, Role: c.Role, Address: c.Address, Joined: c.Joined}
	if c.Zone == "" {
		return out
	}
	out.Zone = &c.Zone
	heard := api.Reports.Cluster(c.Zone).Heard
	if c.Role == "blockstore" {
		heard = api.Reports.Block(c.Zone).Heard
	}
	if !heard.IsZero() {
		out.Heard = &heard
	}
	return out
}
