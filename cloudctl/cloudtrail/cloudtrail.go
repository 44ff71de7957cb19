// Package cloudtrail is the public API of what was asked of the cloud: an
// account looks up its events, and has them written into a bucket by trails.
// Each action has a file of its own, named after it.
//
// Events come from the index of the audit logs (package ledger); a trail is a
// record in the database, whose file the ledger's exporter writes. An action is
// one transaction; a crash leaves a trail as it was.
package cloudtrail

import (
	"context"
	"regexp"
	"strings"
	"time"

	"karri/cloudctl/ledger"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/awsmodel"
	"karri/shared/bucket"
	"karri/shared/fault"
)

// API holds what the actions need.
type API struct {
	Store   *store.Store
	Index   *store.Index
	Buckets ledger.Deliverer
	Keys    *ledger.Signer
	Region  string
	Clock   func() time.Time
}

// Catalog holds every action of this package.
var Catalog = func() *action.Catalog[*API] {
	c := action.NewCatalog[*API]("cloudtrail", awsmodel.CloudTrail())
	c.Codes = map[string]string{
		"InvalidParameterValue": "InvalidParameterCombinationException", "MissingParameter": "InvalidParameterCombinationException",
		"InvalidNextToken": "InvalidNextTokenException",
	}
	return c
}()

// Trail is a trail as answers show it.
type Trail struct {
	Name                       string
	S3BucketName               string
	S3KeyPrefix                *string
	IncludeGlobalServiceEvents bool
	IsMultiRegionTrail         bool
	HomeRegion                 string
	TrailARN                   string
	LogFileValidationEnabled   bool
	HasCustomEventSelectors    bool
	HasInsightSelectors        bool
	IsOrganizationTrail        bool
}

// Made is a trail as those who make and change it are answered.
type Made struct {
	Name                       string
	S3BucketName               string
	S3KeyPrefix                *string
	IncludeGlobalServiceEvents bool
	IsMultiRegionTrail         bool
	TrailARN                   string
	LogFileValidationEnabled   bool
	IsOrganizationTrail        bool
}

func (api *API) shape(t *store.Trail) Trail {
	return Trail{Name: t.Name, S3BucketName: t.Bucket, S3KeyPrefix: optional(t.Prefix), IncludeGlobalServiceEvents: t.Global, IsMultiRegionTrail: t.Every,
		HomeRegion: api.Region, TrailARN: t.ARN, LogFileValidationEnabled: t.Proven}
}

func made(t *store.Trail) *Made {
	return &Made{Name: t.Name, S3BucketName: t.Bucket, S3KeyPrefix: optional(t.Prefix), IncludeGlobalServiceEvents: t.Global, IsMultiRegionTrail: t.Every, TrailARN: t.ARN, LogFileValidationEnabled: t.Proven}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (api *API) arn(account, name string) string {
	return "arn:aws:cloudtrail:" + api.Region + ":" + account + ":trail/" + name
}

// nameOf reads the name of a trail of the caller from a name or an ARN.
func (api *API) nameOf(who action.Caller, text string) (string, error) {
	if !strings.HasPrefix(text, "arn:") {
		return text, checkName(text)
	}
	name, ok := strings.CutPrefix(text, api.arn(who.Account, ""))
	if !ok {
		if parts := strings.SplitN(text, ":", 6); len(parts) == 6 && parts[2] == "cloudtrail" && strings.HasPrefix(parts[5], "trail/") {
			return "", fault.New(fault.Missing, "TrailNotFoundException", "Unknown trail: %s for the user: %s", text, who.Account)
		}
		return "", fault.New(fault.Invalid, "CloudTrailARNInvalidException", "%s is not the ARN of a trail.", text)
	}
	return name, checkName(name)
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]$`)

func checkName(name string) error {
	if len(name) < 3 || len(name) > 128 || !nameForm.MatchString(name) || strings.Contains(name, "..") {
		return fault.New(fault.Invalid, "InvalidTrailNameException",
			"Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_), and has 3 to 128 of them.")
	}
	return nil
}

// on is the resource that an action on one trail is about.
func (api *API) on(who action.Caller, text string) ([]action.Resource, error) {
	name, err := api.nameOf(who, text)
	if err != nil {
		return nil, err
	}
	return []action.Resource{{ARN: api.arn(who.Account, name), Owner: who.Account}}, nil
}

// change changes a trail of the caller in one transaction.
func (api *API) change(ctx context.Context, who action.Caller, text string, how func(*store.Tx, *store.Trail) error) error {
	name, err := api.nameOf(who, text)
	if err != nil {
		return err
	}
	return api.Store.InTx(ctx, func(tx *store.Tx) error {
		t, err := tx.Trail(who.Account, name)
		if err != nil {
			return err
		}
		return how(tx, t)
	})
}

// look returns a trail of the caller.
func (api *API) look(ctx context.Context, who action.Caller, text string) (t *store.Trail, err error) {
	name, err := api.nameOf(who, text)
	if err != nil {
		return nil, err
	}
	err = api.Store.View(ctx, func(tx *store.Tx) error {
		t, err = tx.Trail(who.Account, name)
		return err
	})
	return t, err
}

var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// admit puts an empty object into the folder of a trail, as CloudTrail does, to
// see that its bucket lets it in.
func (api *API) admit(ctx context.Context, t *store.Trail) error {
	if !bucketForm.MatchString(t.Bucket) {
		return fault.New(fault.Invalid, "InvalidS3BucketNameException", "%s is not the name of a bucket.", t.Bucket)
	}
	if len(t.Prefix) > 200 || strings.HasPrefix(t.Prefix, "/") {
		return fault.New(fault.Invalid, "InvalidS3PrefixException", "The prefix has at most 200 characters and does not begin with a slash.")
	}
	folder := ledger.Folder(t, "")
	err := api.Buckets.Deliver(ctx, bucket.Delivery{Bucket: t.Bucket, Key: strings.TrimSuffix(folder, "/") + "/", Service: ledger.Service, Source: t.ARN, Account: t.Account})
	switch fault.KindOf(err) {
	case fault.Missing:
		return fault.New(fault.Missing, "S3BucketDoesNotExistException", "S3 bucket %s does not exist!", t.Bucket)
	case fault.Denied:
		return fault.New(fault.Invalid, "InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: %s", t.Bucket)
	}
	return err
}
