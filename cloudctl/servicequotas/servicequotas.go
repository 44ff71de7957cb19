// Package servicequotas is the public API that shows how much an account may
// have, and asks for more. Each action has a file of its own.
//
// What it shows are the quotas of package quota under the codes of the real
// service. A request for more is a record that waits for the administrator;
// approving it lays a policy on the account. Everything is one transaction, so
// a crash leaves a request before or after it.
package servicequotas

import (
	"context"
	"time"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/awsmodel"
	"karri/shared/fault"
)

// API holds what the actions need.
type API struct {
	Store  *store.Store
	Clock  func() time.Time
	Region string
}

// Catalog holds every action of this package.
var Catalog = catalog()

func catalog() *action.Catalog[*API] {
	c := action.NewCatalog[*API]("servicequotas", awsmodel.ServiceQuotas())
	c.Codes = map[string]string{
		"InvalidParameterValue": "IllegalArgumentException", "MissingParameter": "IllegalArgumentException",
		"InvalidNextToken": "InvalidPaginationTokenException", "UnauthorizedOperation": "AccessDeniedException",
	}
	return c
}

// services are the names of the services that have quotas.
var services = map[string]string{
	"ec2": "Amazon Elastic Compute Cloud (Amazon EC2)", "ebs": "Amazon Elastic Block Store (Amazon EBS)",
	"vpc": "Amazon Virtual Private Cloud (Amazon VPC)", "s3": "Amazon Simple Storage Service (Amazon S3)",
	"iam": "AWS Identity and Access Management (IAM)",
}

// ServiceQuota is how much of something an account may have. Value is absent
// where there may be any number.
type ServiceQuota struct {
	Adjustable          bool
	GlobalQuota         bool
	QuotaAppliedAtLevel string
	QuotaArn            string
	QuotaCode           string
	QuotaName           string
	ServiceCode         string
	ServiceName         string
	Unit                string
	Value               *float64
}

func (api *API) shape(q *quota.Quota, account string, most int64) ServiceQuota {
	s := ServiceQuota{
		Adjustable: true, GlobalQuota: global(q), QuotaAppliedAtLevel: level, QuotaArn: api.arn(q, account), QuotaCode: q.ID,
		QuotaName: q.Title, ServiceCode: q.Service, ServiceName: services[q.Service], Unit: q.Unit,
	}
	if most != quota.None {
		s.Value = ptr(float64(most))
	}
	return s
}

// level is whom every quota here is for.
const level = "ACCOUNT"

func global(q *quota.Quota) bool { return q.Service == "iam" || q.Service == "s3" }

func (api *API) arn(q *quota.Quota, account string) string {
	region := api.Region
	if global(q) {
		region = ""
	}
	return "arn:aws:servicequotas:" + region + ":" + account + ":" + q.Service + "/" + q.ID
}

// RequestedServiceQuotaChange is a request for more.
type RequestedServiceQuotaChange struct {
	CaseId                *string
	Created               time.Time
	DesiredValue          float64
	GlobalQuota           bool
	Id                    string
	LastUpdated           time.Time
	QuotaArn              string
	QuotaCode             string
	QuotaName             string
	QuotaRequestedAtLevel string
	Requester             string
	ServiceCode           string
	ServiceName           string
	Status                string
	Unit                  string
}

func (api *API) change(r *store.QuotaRequest) RequestedServiceQuotaChange {
	c := RequestedServiceQuotaChange{
		Created: r.Created, DesiredValue: float64(r.Desired), Id: r.ID, LastUpdated: r.Updated, QuotaCode: r.Code,
		QuotaRequestedAtLevel: level, Requester: r.Requester, ServiceCode: r.Service, ServiceName: services[r.Service], Status: r.Status,
	}
	if q, err := quota.ByID(r.Service, r.Code); err == nil {
		c.GlobalQuota, c.QuotaArn, c.QuotaName, c.Unit = global(q), api.arn(q, r.Account), q.Title, q.Unit
	}
	return c
}

// onQuotas is the On of an action on all quotas of the caller's account.
func onQuotas[In any](_ context.Context, _ *API, who action.Caller, _ *In) ([]action.Resource, error) {
	return []action.Resource{{ARN: "*", Owner: who.Account}}, nil
}

// onQuota is the On of an action on one.
func onQuota[In any](name func(*In) (service, code string)) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return func(_ context.Context, api *API, who action.Caller, in *In) ([]action.Resource, error) {
		q, err := quota.ByID(name(in))
		if err != nil {
			return nil, err
		}
		return []action.Resource{{ARN: api.arn(q, who.Account), Owner: who.Account}}, nil
	}
}

// of returns the quotas of a service; "" is all.
func of(service, code *string) (all []*quota.Quota, err error) {
	if service != nil && services[*service] == "" {
		return nil, fault.New(fault.Missing, "NoSuchResourceException", "The service '%s' is not known.", *service)
	}
	for _, q := range quota.All() {
		if (service == nil || q.Service == *service) && (code == nil || q.ID == *code) {
			all = append(all, q)
		}
	}
	return all, nil
}

func checkLevel(asked *string) error {
	if asked != nil && *asked != level && *asked != "ALL" {
		return fault.New(fault.Invalid, "IllegalArgumentException", "The quotas of this cloud are those of accounts: the level '%s' has none.", *asked)
	}
	return nil
}

// ptr returns a pointer to a copy of v.
func ptr[T any](v T) *T { return &v }
