package ec2

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DeleteSecurityGroupInput names a security group.
type DeleteSecurityGroupInput struct {
	GroupId   *string
	GroupName *string // of the default VPC
}

var _ = action.Add(Catalog, action.Def[*API, DeleteSecurityGroupInput, action.Nothing]{
	Name:    "DeleteSecurityGroup",
	Doc:     "Removes a security group that no network interface is in and no rule of another group refers to.",
	Example: DeleteSecurityGroupInput{GroupId: ptr("sg-1a2b3c4d5e6f70819")},
	On:      onGroup(func(in *DeleteSecurityGroupInput) (*string, *string) { return in.GroupId, in.GroupName }),
	Run:     deleteSecurityGroup,
})

func deleteSecurityGroup(ctx context.Context, api *API, who action.Caller, in *DeleteSecurityGroupInput) (*action.Nothing, error) {
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		g, err := groupOf(tx, who.Account, in.GroupId, in.GroupName)
		if err != nil {
			return err
		}
		if g.Name == "default" {
			return fault.New(fault.Invalid, "CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", g.ID)
		}
		if err := unused(tx, g); err != nil {
			return err
		}
		rules, err := tx.RulesIn(g.ID)
		if err != nil {
			return err
		}
		for _, r := range rules {
			if err := dropRule(tx, &r); err != nil {
				return err
			}
		}
		if err := tx.DropTagsOn(string(g.ID)); err != nil {
			return err
		}
		return tx.Drop(g)
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return nil, nil
}

// unused returns the fault of a group that something still depends on.
func unused(tx *store.Tx, g *store.Group) error {
	enis, err := tx.InterfacesOf(g.Account)
	if err != nil {
		return err
	}
	rules, err := tx.RulesOf(g.Account)
	if err != nil {
		return err
	}
	member := slices.ContainsFunc(enis, func(e store.Interface) bool { return slices.Contains(e.Groups, g.ID) })
	peer := slices.ContainsFunc(rules, func(r store.Rule) bool { return r.Peer == g.ID && r.Group != g.ID })
	if member || peer {
		return fault.New(fault.Conflict, "DependencyViolation", "resource %s has a dependent object", g.ID)
	}
	return nil
}
