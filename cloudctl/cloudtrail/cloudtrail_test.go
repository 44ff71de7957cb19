package cloudtrail

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"karri/cloudctl/ledger"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/audit"
	"karri/shared/bucket"
	"karri/shared/fault"
)

const account = "111122223333"

// shelf lets the service into one bucket.
type shelf struct{}

func (shelf) Deliver(_ context.Context, d bucket.Delivery) error {
	switch d.Bucket {
	case "open":
		return nil
	case "closed":
		return fault.New(fault.Denied, "AccessDenied", "no")
	}
	return fault.New(fault.Missing, "NoSuchBucket", "no")
}

type source struct{ *audit.Log }

func (s source) After(_ context.Context, at audit.Head) (audit.Part, error) { return s.Log.After(at) }

func (s source) Verify(_ context.Context, at audit.Head) (audit.Report, error) {
	return s.Log.Verify(at)
}

// open returns the vendor's client of an API with some events.
func open(t *testing.T) *sdk.Client {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	x, err := store.OpenIndex(t.Context(), filepath.Join(t.TempDir(), "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	log, err := audit.Open(t.TempDir(), audit.Options{Daemon: "cloudctl.karri"})
	if err != nil {
		t.Fatal(err)
	}
	for i, who := range []string{account, account, "999999999999", account} {
		log.Note(&audit.Line{Time: time.Unix(1_700_000_000+int64(i), 0), Service: "ec2", Action: "RunInstances", Kind: "user", Account: who,
			ARN: "arn:aws:iam::" + who + ":user/ann", Name: "ann", RequestID: "r", Read: i == 3})
	}
	if err := log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := (&ledger.Ledger{Index: x, Clock: time.Now, Log: slog.New(slog.DiscardHandler)}).Open()
	if err := l.Take(t.Context(), "cloudctl.karri", source{log}); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	err = st.InTx(t.Context(), func(tx *store.Tx) error { return tx.Add(&store.Account{ID: account, Name: "a"}) })
	if err != nil {
		t.Fatal(err)
	}
	api := &API{Store: st, Index: x, Buckets: shelf{}, Region: "us-east-1", Clock: time.Now}
	there := httptest.NewServer(&action.Door{
		Services: []*action.Service{Catalog.With(api)}, Policy: action.OwnerOnly{}, Log: slog.New(slog.DiscardHandler),
		RequestID: func(*http.Request) string { return "req-1" },
		Who: func(*http.Request, string) (action.Caller, error) {
			return action.Caller{Account: account, ARN: "arn:aws:iam::" + account + ":root"}, nil
		},
	})
	t.Cleanup(there.Close)
	return sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: &there.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1})
}

func wants(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), code) {
		t.Errorf("%v, want %s", err, code)
	}
}

func TestEventsAreLookedUpInPages(t *testing.T) {
	c := open(t)
	var ids []string
	pages := sdk.NewLookupEventsPaginator(c, &sdk.LookupEventsInput{MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			ids = append(ids, *e.EventId)
			if *e.Username != "ann" || !strings.Contains(*e.CloudTrailEvent, `"recipientAccountId":"`+account+`"`) {
				t.Errorf("%+v", e)
			}
		}
	}
	if len(ids) != 3 {
		t.Errorf("%v", ids)
	}
	out, err := c.LookupEvents(t.Context(), &sdk.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyReadOnly, AttributeValue: aws.String("true")}}})
	if err != nil || len(out.Events) != 1 || !out.Events[0].EventTime.Equal(time.Unix(1_700_000_003, 0)) {
		t.Errorf("%+v %v", out, err)
	}
	out, err = c.LookupEvents(t.Context(), &sdk.LookupEventsInput{StartTime: aws.Time(time.Unix(1_700_000_001, 0)), EndTime: aws.Time(time.Unix(1_700_000_002, 0))})
	if err != nil || len(out.Events) != 1 {
		t.Errorf("%+v %v", out, err)
	}
	_, err = c.LookupEvents(t.Context(), &sdk.LookupEventsInput{StartTime: aws.Time(time.Unix(2, 0)), EndTime: aws.Time(time.Unix(1, 0))})
	wants(t, err, "InvalidTimeRangeException")
	_, err = c.LookupEvents(t.Context(), &sdk.LookupEventsInput{NextToken: aws.String("x")})
	wants(t, err, "InvalidNextTokenException")
}

func TestTheLifeOfATrail(t *testing.T) {
	c, ctx, name := open(t), t.Context(), aws.String("all")
	for b, code := range map[string]string{"none": "S3BucketDoesNotExistException", "closed": "InsufficientS3BucketPolicyException", "B!": "InvalidS3BucketNameException"} {
		_, err := c.CreateTrail(ctx, &sdk.CreateTrailInput{Name: name, S3BucketName: &b})
		wants(t, err, code)
	}
	_, err := c.CreateTrail(ctx, &sdk.CreateTrailInput{Name: name, S3BucketName: aws.String("open"), KmsKeyId: aws.String("k")})
	wants(t, err, "UnsupportedOperationException")
	made, err := c.CreateTrail(ctx, &sdk.CreateTrailInput{Name: name, S3BucketName: aws.String("open"), S3KeyPrefix: aws.String("p"), IsMultiRegionTrail: aws.Bool(true)})
	if err != nil || *made.TrailARN != "arn:aws:cloudtrail:us-east-1:"+account+":trail/all" || !*made.IsMultiRegionTrail || *made.S3KeyPrefix != "p" {
		t.Fatalf("%+v %v", made, err)
	}
	if _, err := c.StartLogging(ctx, &sdk.StartLoggingInput{Name: made.TrailARN}); err != nil {
		t.Fatal(err)
	}
	st, err := c.GetTrailStatus(ctx, &sdk.GetTrailStatusInput{Name: name})
	if err != nil || !*st.IsLogging || st.StartLoggingTime == nil {
		t.Errorf("%+v %v", st, err)
	}
	if up, err := c.UpdateTrail(ctx, &sdk.UpdateTrailInput{Name: name, S3KeyPrefix: aws.String("q")}); err != nil || *up.S3KeyPrefix != "q" {
		t.Errorf("%+v %v", up, err)
	}
	if l, err := c.ListTrails(ctx, &sdk.ListTrailsInput{}); err != nil || len(l.Trails) != 1 {
		t.Errorf("%+v %v", l, err)
	}
	_, err = c.AddTags(ctx, &sdk.AddTagsInput{ResourceId: made.TrailARN, TagsList: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	if err != nil {
		t.Error(err)
	}
	if l, err := c.ListTags(ctx, &sdk.ListTagsInput{ResourceIdList: []string{*made.TrailARN}}); err != nil || *l.ResourceTagList[0].TagsList[0].Value != "v" {
		t.Errorf("%+v %v", l, err)
	}
	if _, err := c.DeleteTrail(ctx, &sdk.DeleteTrailInput{Name: name}); err != nil {
		t.Error(err)
	}
	_, err = c.GetTrail(ctx, &sdk.GetTrailInput{Name: name})
	wants(t, err, "TrailNotFoundException")
	_, err = c.GetTrail(ctx, &sdk.GetTrailInput{Name: aws.String("arn:aws:s3:::x")})
	wants(t, err, "CloudTrailARNInvalidException")
}
