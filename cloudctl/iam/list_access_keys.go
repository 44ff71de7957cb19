package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListAccessKeysInput names a user.
type ListAccessKeysInput struct {
	UserName *string // absent: who calls
	Marker   *string
	MaxItems *int
}

// ListAccessKeysOutput is a page of keys, without their secrets.
type ListAccessKeysOutput struct {
	AccessKeyMetadata []AccessKeyMetadata
	IsTruncated       bool
	Marker            *string
}

var _ = action.Add(Catalog, action.Def[*API, ListAccessKeysInput, ListAccessKeysOutput]{
	Name:    "ListAccessKeys",
	Doc:     "Lists the access keys of a user, or of who calls.",
	Example: ListAccessKeysInput{UserName: ptr("ada")},
	On:      on(func(t *things, in *ListAccessKeysInput) error { return t.user(in.UserName) }),
	List:    &action.List{},
	Run:     listAccessKeys,
})

func listAccessKeys(ctx context.Context, api *API, who action.Caller, in *ListAccessKeysInput) (*ListAccessKeysOutput, error) {
	out := &ListAccessKeysOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		u, err := userOr(tx, who, in.UserName)
		if err != nil {
			return err
		}
		id, name := idName(u)
		rows, err := tx.AccessKeysOfUser(who.Account, id)
		if err != nil {
			return err
		}
		out.AccessKeyMetadata, out.Marker, err = paged(ctx, rows, func(k store.AccessKey) string { return k.ID }, func(k *store.AccessKey) AccessKeyMetadata {
			return AccessKeyMetadata{UserName: name, AccessKeyId: k.ID, Status: status(k.Active), CreateDate: k.Created}
		})
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
