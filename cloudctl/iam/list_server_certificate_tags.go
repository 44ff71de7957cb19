package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListServerCertificateTagsInput names a server certificate.
type ListServerCertificateTagsInput struct {
	ServerCertificateName string
	Marker                *string
	MaxItems              *int
}

// ListServerCertificateTagsOutput is a page of tags.
type ListServerCertificateTagsOutput struct {
	Tags        []Tag
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListServerCertificateTagsInput, ListServerCertificateTagsOutput]{
	Name:    "ListServerCertificateTags",
	Doc:     "Lists the tags of a server certificate.",
	Example: ListServerCertificateTagsInput{ServerCertificateName: "www"},
	On: on(func(t *things, in *ListServerCertificateTagsInput) error {
		return t.serverCertificate(in.ServerCertificateName)
	}),
	List: &action.List{},
	Run:  listServerCertificateTags,
})

func listServerCertificateTags(ctx context.Context, api *API, who action.Caller, in *ListServerCertificateTagsInput) (*ListServerCertificateTagsOutput, error) {
	out := &ListServerCertificateTagsOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		c, err := tx.ServerCertificate(who.Account, in.ServerCertificateName)
		if err != nil {
			return err
		}
		out.Tags, out.Marker, err = tagPage(ctx, c.Tags)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
