package daemon

import (
	"context"
	"net"
	"net/http"
	"time"

	"karri/cloudctl/admin"
	"karri/cloudctl/cloudtrail"
	"karri/cloudctl/ec2"
	"karri/cloudctl/iam"
	"karri/cloudctl/managed"
	"karri/cloudctl/principal"
	"karri/cloudctl/rights"
	"karri/cloudctl/servicequotas"
	"karri/cloudctl/store"
	"karri/cloudctl/sts"
	"karri/shared/action"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/sign"
)

// door serves EC2, STS, IAM and the administrator's API at one address.
func (c *cloud) door() http.Handler {
	count := c.Metrics.Counter("karri_actions_total", "Requests for an action, by the code that answered them.", "service", "action", "code")
	return &action.Door{
		Services:  c.services(),
		Who:       c.who,
		RequestID: func(r *http.Request) string { return rest.RequestID(r.Context()) },
		Policy:    &rights.Policy{Vault: c.book.Vault},
		Region:    c.config.Region,
		Log:       c.Log,
		Audit:     c.Audit.Note,
		Seen: func(ctx context.Context, service, name, code string) {
			rest.Label(ctx, service+":"+name)
			count(1, service, name, code)
		},
	}
}

func (c *cloud) services() []*action.Service {
	return []*action.Service{
		ec2.Catalog.With(c.api),
		sts.Catalog.With(&sts.API{Store: c.store, Vault: c.book.Vault, Clock: time.Now, Sessions: c.book.Sessions(), Issuers: c.issuers}),
		cloudtrail.Catalog.With(&cloudtrail.API{Store: c.store, Index: c.ledger.Index, Buckets: c.zones.walrusStore, Keys: c.signer, Region: c.config.Region, Clock: time.Now}),
		iam.Catalog.With(&iam.API{Store: c.store, Accounts: c.book, Vault: c.book.Vault, Clock: time.Now, Managed: managed.Policies{}}),
		servicequotas.Catalog.With(&servicequotas.API{Store: c.store, Clock: time.Now, Region: c.config.Region}),
		admin.Catalog.With(&admin.API{
			Accounts: c.book, Desk: c.desk, Reports: c.reports, Zones: c.zones, Buckets: c.zones.walrusStore, Explain: c, Ledger: c.ledger, News: admin.News{Ring: c.events.ring, Hooks: c.events.hooks}, Region: c.config.Region, Clock: time.Now, Nudge: c.nudge,
			Endpoints: admin.Endpoints{EC2: c.config.Endpoint, S3: c.config.S3Endpoint},
		}),
	}
}

// who verifies the signature of a request to the named service.
func (c *cloud) who(r *http.Request, name string) (action.Caller, error) {
	v := sign.Verifier{Dialect: sign.Query, Region: c.config.Region, Global: name == "iam", Services: []string{name}, Keys: c.book}
	if name == "ec2" {
		v.Dialect = sign.EC2
	}
	id, _, err := v.Verify(r)
	if err != nil {
		return action.Caller{}, err
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return action.Caller{
		Account: id.Account, ARN: id.ARN, UserID: id.Rights.Identity.ID, AccessKey: id.AccessKey, Admin: id.Rights.Admin(), SourceIP: host, Rights: id.Rights,
	}, nil
}

// servePrincipals tells walrus whom the policies of buckets mean.
func (c *cloud) servePrincipals() {
	c.Internal.Handle("POST", "/v1/principals", rest.Roles(pki.Walrus), func(w http.ResponseWriter, r *http.Request) error {
		var in struct {
			Policy string
			Show   bool
		}
		if err := rest.Read(r, &in); err != nil {
			return err
		}
		name := principal.Pin
		if in.Show {
			name = principal.Show
		}
		var out struct {
			Policy string `json:"policy"`
		}
		if err := c.book.Store.View(r.Context(), func(tx *store.Tx) (err error) {
			out.Policy, err = name(tx, in.Policy)
			return err
		}); err != nil {
			return err
		}
		return rest.JSON(w, out)
	})
}

// serveKeys gives walrus what it needs to check signatures; never a secret.
func (c *cloud) serveKeys() {
	walrus := rest.Roles(pki.Walrus)
	c.Internal.Handle("POST", "/v1/keys/derive", walrus, func(w http.ResponseWriter, r *http.Request) error {
		var in struct{ AccessKey, Token, Date, Region, Service string }
		if err := rest.Read(r, &in); err != nil {
			return err
		}
		k, err := c.book.SigningKey(r.Context(), in.AccessKey, in.Token, in.Date, in.Region, in.Service)
		if err != nil {
			return err
		}
		return rest.JSON(w, k)
	})
	c.Internal.Handle("POST", "/v1/keys/check-v2", walrus, func(w http.ResponseWriter, r *http.Request) error {
		var in struct{ AccessKey, Token, Algorithm, StringToSign, Signature string }
		if err := rest.Read(r, &in); err != nil {
			return err
		}
		k, err := c.book.CheckV2(r.Context(), in.AccessKey, in.Token, in.Algorithm, in.StringToSign, in.Signature)
		if err != nil {
			return err
		}
		return rest.JSON(w, k)
	})
}
