package iam

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

const (
	maxClients     = 100
	maxThumbprints = 5
)

var thumbprintForm = regexp.MustCompile(`^[0-9a-fA-F]{40}$`)

// provider notes the OIDC provider of that ARN.
func (t *things) provider(arn string) error {
	p, err := t.tx.OIDCProvider(t.who.Account, arn)
	switch {
	case err == nil:
		t.add(p.ARN, p.Tags)
	case fault.KindOf(err) != fault.Missing:
		return err
	case !strings.HasPrefix(arn, "arn:aws:iam::") || !strings.Contains(arn, ":oidc-provider/"):
		return validation("ARN %.100s is not valid.", arn)
	default:
		t.add(arn, nil)
	}
	return nil
}

// onProvider is the On of an action on a named OIDC provider.
func onProvider[In any](arn func(in *In) string) func(t *things, in *In) error {
	return func(t *things, in *In) error { return t.provider(arn(in)) }
}

// withProvider runs do in a transaction, on an OIDC provider of the caller's account.
func (api *API) withProvider(ctx context.Context, who action.Caller, arn string, do func(tx *store.Tx, p *store.OIDCProvider) error) error {
	return api.Store.InTx(ctx, func(tx *store.Tx) error {
		p, err := tx.OIDCProvider(who.Account, arn)
		if err != nil {
			return err
		}
		return do(tx, p)
	})
}

// putProvider writes an OIDC provider that was changed, and announces it.
func (api *API) putProvider(tx *store.Tx, p *store.OIDCProvider) error {
	if err := tx.Put(p); err != nil {
		return err
	}
	return api.announceProvider(tx, p, changed)
}

func (api *API) announceProvider(tx *store.Tx, p *store.OIDCProvider, what string) error {
	return api.announce(tx, p.Account, "oidc-provider", p.ARN, p.URL, p.ARN, what)
}

// providerURL returns an issuer's URL without its scheme, as providers are named.
func providerURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.ContainsAny(text, "#*\\ ") {
		return "", fault.New(fault.Invalid, "InvalidInput", "Invalid Open ID Connect Provider URL: it must begin with https:// and have neither query nor fragment.")
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, "https://"), "/"), nil
}

// checkThumbprints returns the thumbprints of a request in lower case, each once.
func checkThumbprints(list []string) ([]string, error) {
	if len(list) > maxThumbprints {
		return nil, fault.New(fault.Full, "LimitExceeded", "Thumbprint list must contain fewer than %d entries.", maxThumbprints+1)
	}
	out := []string{}
	for _, t := range list {
		if !thumbprintForm.MatchString(t) {
			return nil, validation("The thumbprint %.50q is invalid: it must be the SHA-1 of a certificate, 40 hexadecimal digits.", t)
		}
		if t = strings.ToLower(t); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out, nil
}

// addClient adds the id of a client, which is fine when it is there already.
func addClient(p *store.OIDCProvider, id string) error {
	if slices.Contains(p.Clients, id) {
		return nil
	}
	if len(p.Clients) >= maxClients {
		return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", maxClients)
	}
	if id == "" || len(id) > 255 {
		return validation("A client id has 1 to 255 characters.")
	}
	p.Clients = append(p.Clients, id)
	return nil
}
