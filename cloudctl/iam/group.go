package iam

import (
	"time"

	"karri/cloudctl/store"
	"karri/shared/fault"
)

// maxGroups is how many groups a user may be in.
const maxGroups = 10

// Group is a group of users as answers show it.
type Group struct {
	Path       string
	GroupName  string
	GroupId    string
	Arn        string
	CreateDate time.Time
}

func showGroup(g *store.UserGroup) Group {
	return Group{Path: g.Path, GroupName: g.Name, GroupId: g.ID, Arn: g.ARN(), CreateDate: g.Created}
}

// group notes the group of that name.
func (t *things) group(name string) error {
	g, err := t.tx.UserGroup(t.who.Account, name)
	switch {
	case err == nil:
		t.add(g.ARN(), nil)
	case fault.KindOf(err) == fault.Missing:
		t.add(arn(t.who.Account, "group", "/", name), nil)
	default:
		return err
	}
	return nil
}

// onGroup is the On of an action on a named group.
func onGroup[In any](name func(in *In) string) func(t *things, in *In) error {
	return func(t *things, in *In) error { return t.group(name(in)) }
}

func (api *API) announceGroup(tx *store.Tx, g *store.UserGroup, what string) error {
	return api.announce(tx, g.Account, "group", g.ID, g.Name, g.ARN(), what)
}
