package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListServerCertificatesInput narrows the list.
type ListServerCertificatesInput struct {
	PathPrefix *string
	Marker     *string
	MaxItems   *int
}

// ListServerCertificatesOutput is a page of certificates.
type ListServerCertificatesOutput struct {
	ServerCertificateMetadataList []ServerCertificateMetadata
	IsTruncated                   bool
	Marker                        *string
}

var _ = action.Add(Catalog, action.Def[*API, ListServerCertificatesInput, ListServerCertificatesOutput]{
	Name:    "ListServerCertificates",
	Doc:     "Lists the server certificates of the account by name.",
	Example: ListServerCertificatesInput{PathPrefix: ptr("/web/")},
	On:      onAccount[ListServerCertificatesInput]("server-certificate"),
	List:    &action.List{},
	Run:     listServerCertificates,
})

func listServerCertificates(ctx context.Context, api *API, who action.Caller, in *ListServerCertificatesInput) (*ListServerCertificatesOutput, error) {
	if err := checkPrefix(val(in.PathPrefix)); err != nil {
		return nil, err
	}
	out := &ListServerCertificatesOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		after, most := action.Span(ctx)
		rows, err := tx.ServerCertificates(who.Account, val(in.PathPrefix), after, most)
		if err != nil {
			return err
		}
		out.ServerCertificateMetadataList, out.Marker, err = paged(ctx, rows, func(c store.ServerCertificate) string { return c.Folded }, showServerCertificate)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
