package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// A listing is a Describe of things of one kind I, each answered as a T.
type listing[I id.ID, T any] struct {
	name    func(T) string // its id
	tags    func(T) []Tag
	fields  fields[T]
	missing string // the code of an id that nothing has
	what    string // the thing's name in that fault's sentence

	// rows returns all things of the caller.
	rows func(tx *store.Tx, l *looker) ([]T, error)
}

// A looker is who looks, with the tags of all that he has.
type looker struct {
	api     *API
	account string
	tags    store.Tags
}

// page returns the page that a request asks for: the things with the given ids,
// or all, which pass the filters.
func (l listing[I, T]) page(ctx context.Context, api *API, who action.Caller, ids []string, filters []action.Filter) ([]T, *string, error) {
	if _, err := parseAll[I](ids); err != nil {
		return nil, nil, err
	}
	all := []T{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		tags, err := tx.TagsOf(who.Account)
		if err == nil {
			all, err = l.rows(tx, &looker{api, who.Account, tags})
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	all, err = wanted(ids, all, l.name, func(name string) error {
		return fault.New(fault.Missing, l.missing, "The %s ID '%s' does not exist", l.what, name)
	})
	if err != nil {
		return nil, nil, err
	}
	return action.Page(ctx, l.fields.pick(filters, all, l.tags), l.name)
}
