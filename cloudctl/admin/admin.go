// Package admin is the administrator's API: accounts, join tokens, zones and
// nodes, and explain, which is for users too.
//
// It is Karri's own service "karri", asked in JSON; the form of an action is
// that of the public APIs. Each action has a file of its own. What changes
// something is done in one transaction, here or in the zone, before it is
// answered, and may be repeated.
package admin

import (
	"context"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/enroll"
	"karri/cloudctl/ledger"
	"karri/cloudctl/report"
	"karri/shared/action"
	"karri/shared/bucket"
)

// API holds what the actions need.
type API struct {
	Accounts  *account.Book
	Desk      *enroll.Desk
	Reports   *report.Latest
	Zones     Zones
	Buckets   Buckets
	Explain   Explainer
	News      News
	Ledger    *ledger.Ledger
	Endpoints Endpoints // what env settings name
	Region    string
	Clock     func() time.Time
	Nudge     func() // wakes the loops
}

// Endpoints are the public addresses of the cloud.
type Endpoints struct{ EC2, S3 string }

// Zones speaks to the clusterctl of a zone on the administrator's behalf. An
// unknown zone is a fault of kind Missing, one that does not answer of kind Later.
type Zones interface {
	// NodeToken returns a join token for a node.
	NodeToken(ctx context.Context, zone, node string) (string, error)
	// ForgetNode ends the wait for a node that is gone for good.
	ForgetNode(ctx context.Context, zone, node string) error
	// Adopt makes what runs in the zone the wish, after a restore from an old copy.
	Adopt(ctx context.Context, zone string) error
}

// Buckets asks walrus on the administrator's behalf (see bucket.Client).
type Buckets interface {
	Describe(ctx context.Context, account, name string) ([]bucket.Held, error)
	SetQuota(ctx context.Context, name string, quota bucket.Amount) error
	Share(ctx context.Context, account string) (bucket.Share, error)
}

// An Explainer tells, tier by tier from the top, what is wanted of a thing,
// what is seen, what was tried, what failed and what is waited for. account is
// whose things may be explained; store.AnyAccount: everyone's, and nodes.
type Explainer interface {
	Explain(ctx context.Context, account, thing string) ([]Tier, error)
}

// Tier is what one daemon knows of a thing.
type Tier struct {
	Tier  string // cloudctl, clusterctl us-east-1a, nodectl node1
	Lines []string
}

// Catalog holds every action of this package.
var Catalog = action.NewCatalog[*API]("karri", nil)

// Credentials let a user in. The secret is shown here and never again.
type Credentials struct {
	AccountId       string
	AccessKeyId     string
	SecretAccessKey string
	Region          string
	Endpoint        string // of all query services
	EndpointS3      string
}

// called returns the id of the account that a request names by its id, name or
// alias; without a word, the other one.
func (api *API) called(ctx context.Context, word *string, other string) (string, error) {
	if word == nil {
		return other, nil
	}
	return api.Accounts.Called(ctx, *word)
}

func (api *API) credentials(s account.Secret) *Credentials {
	return &Credentials{AccountId: s.Account, AccessKeyId: s.AccessKey, SecretAccessKey: s.Secret,
		Region: api.Region, Endpoint: api.Endpoints.EC2, EndpointS3: api.Endpoints.S3}
}
