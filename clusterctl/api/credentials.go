package api

import (
	"context"
	"net/http"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/rest"
	"karri/shared/wire"
)

// credentials passes on, to the node that an instance is placed on, what
// cloudctl makes of the instance's role. Nothing of it is kept here.
func (a *API) credentials(w http.ResponseWriter, r *http.Request) error {
	i := id.Instance(rest.Var(r, "id"))
	if err := a.placedOnCaller(r.Context(), i); err != nil {
		return err
	}
	var in wire.CredentialsOf
	if err := rest.Read(r, &in); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	var out wire.Credentials
	if err := a.Cloud.Call(ctx, http.MethodPost, wire.CredentialsPath(i), nil, in, &out); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return rest.JSON(w, out)
}

// placedOnCaller refuses a node that does not have the instance now, and a host
// whose name was given to another one.
func (a *API) placedOnCaller(ctx context.Context, i id.Instance) error {
	n, err := a.Store.NodeNamed(ctx, rest.Caller(ctx).Name)
	if err != nil {
		return err
	}
	on, placed, err := a.Store.PlacedOn(ctx, i)
	if err != nil {
		return err
	}
	o, _ := a.Book.Orders()
	want, wanted := o.Instances[i]
	if n.Key != rest.CallerKey(ctx) || !placed || on != n.ID || !wanted || want.Want == wire.Gone {
		return fault.New(fault.Denied, "NotForYou", "The instance %s is not on this node.", i)
	}
	return nil
}
