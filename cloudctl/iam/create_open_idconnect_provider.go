package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateOpenIDConnectProviderInput describes an issuer of web identities.
type CreateOpenIDConnectProviderInput struct {
	Url            string
	ClientIDList   []string // audiences that its tokens may be for
	ThumbprintList []string // of certificates to trust its server by, beside the well-known ones
	Tags           []Tag
}

// CreateOpenIDConnectProviderOutput names the new provider.
type CreateOpenIDConnectProviderOutput struct {
	OpenIDConnectProviderArn string
	Tags                     []Tag
}

var _ = action.Add(Catalog, action.Def[*API, CreateOpenIDConnectProviderInput, CreateOpenIDConnectProviderOutput]{
	Name:    "CreateOpenIDConnectProvider",
	Doc:     "Lets the roles of the account trust the web identities of an issuer.",
	Example: CreateOpenIDConnectProviderInput{Url: "https://login.example.com", ClientIDList: []string{"sts.amazonaws.com"}},
	On: on(func(t *things, in *CreateOpenIDConnectProviderInput) error {
		name, err := providerURL(in.Url)
		t.add(providerARN(t.who.Account, name), nil)
		t.tagged("iam:TagOpenIDConnectProvider", in.Tags)
		return err
	}),
	Run: createOpenIDConnectProvider,
})

func providerARN(account, url string) string {
	return "arn:aws:iam::" + account + ":oidc-provider/" + url
}

func createOpenIDConnectProvider(ctx context.Context, api *API, who action.Caller, in *CreateOpenIDConnectProviderInput) (*CreateOpenIDConnectProviderOutput, error) {
	name, err := providerURL(in.Url)
	if err != nil {
		return nil, err
	}
	p := &store.OIDCProvider{ARN: providerARN(who.Account, name), Account: who.Account, URL: name, Clients: []string{}, Created: api.Clock()}
	if p.Thumbprints, err = checkThumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	for _, id := range in.ClientIDList {
		if err := addClient(p, id); err != nil {
			return nil, err
		}
	}
	if err := setTags(&p.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: p.ARN, Tags: tagList(p.Tags)}, api.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := quota.Check(tx, who, "iam:quota-openidconnectprovidernumber", 1); err != nil {
			return err
		}
		p.Creator = quota.Creator(who)
		if err := tx.Add(p); store.Taken(err) {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "Provider with url https://%s already exists.", name)
		} else if err != nil {
			return err
		}
		return api.announceProvider(tx, p, created)
	})
}
