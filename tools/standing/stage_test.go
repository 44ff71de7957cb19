package standing

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"karri/cloudctl/admin"
	ours "karri/cloudctl/ec2"
	ourIAM "karri/cloudctl/iam"
	ourSTS "karri/cloudctl/sts"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/protocol"
	"karri/shared/sign"
)

const (
	region  = "us-east-1"
	account = "111122223333"
	key     = "AKIAIOSFODNN7EXAMPLE"
	secret  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// A stage is a service in rehearsal with the vendor's client before it.
type stage struct {
	name    string
	version string
	dialect protocol.Dialect
	actions []*action.Action
	door    *action.Door
	client  reflect.Value

	asked  any   // the last request, as the action was given it
	answer any   // what the action answers next
	deny   error // what the policy says
	needed string
}

// Allow implements action.Policy.
func (s *stage) Allow(_ context.Context, ask *action.Ask) error {
	s.needed = ask.Permission
	if len(ask.On) == 0 {
		return errors.New("nothing to decide about")
	}
	return s.deny
}

// Do implements the SDK's HTTP client: the door answers in the same process.
func (s *stage) Do(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RemoteAddr, in.RequestURI = "192.0.2.1:1", r.URL.RequestURI()
	if r.Host != "" {
		in.Host = r.Host
	} else {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, in)
	return w.Result(), nil
}

func (s *stage) run(_ *action.Action, _ action.Caller, in any) (any, error) {
	s.asked = in
	return s.answer, nil
}

// stages returns every public service that the vendor's SDK can speak to.
func stages(t *testing.T) []*stage {
	t.Helper()
	creds := aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(key, secret, ""))
	compute := &stage{name: "ec2", dialect: protocol.EC2, actions: ours.Catalog.All()}
	compute.open(ours.Catalog.Rehearse(compute.run), sign.EC2)
	compute.client = reflect.ValueOf(ec2.New(ec2.Options{
		Region: region, BaseEndpoint: aws.String("http://cloud.test"), Credentials: creds, HTTPClient: compute, Retryer: aws.NopRetryer{},
	}))
	tokens := &stage{name: "sts", dialect: protocol.Query, actions: ourSTS.Catalog.All()}
	tokens.open(ourSTS.Catalog.Rehearse(tokens.run), sign.Query)
	tokens.client = reflect.ValueOf(sts.New(sts.Options{
		Region: region, BaseEndpoint: aws.String("http://cloud.test"), Credentials: creds, HTTPClient: tokens, Retryer: aws.NopRetryer{},
	}))
	people := &stage{name: "iam", dialect: protocol.Query, actions: ourIAM.Catalog.All()}
	people.open(ourIAM.Catalog.Rehearse(people.run), sign.Query)
	people.client = reflect.ValueOf(iam.New(iam.Options{
		Region: region, BaseEndpoint: aws.String("http://cloud.test"), Credentials: creds, HTTPClient: people, Retryer: aws.NopRetryer{},
	}))
	return []*stage{compute, tokens, people}
}

// ownStage returns Karri's own service, which no SDK speaks to.
func ownStage() *stage {
	s := &stage{name: "karri", dialect: protocol.JSON, actions: admin.Catalog.All()}
	s.open(admin.Catalog.Rehearse(s.run), sign.Query)
	return s
}

func (s *stage) open(service *action.Service, dialect *sign.Dialect) {
	s.version = service.Model.Version
	v := &sign.Verifier{Dialect: dialect, Region: region, Services: []string{s.name}, Keys: sign.Secrets(
		func(_ context.Context, accessKey, _ string) (sign.Key, string, error) {
			if accessKey != key {
				return sign.Key{}, "", fault.New(fault.Missing, "NoSuchKey", "No such key.")
			}
			return sign.Key{Account: account, ARN: "arn:aws:iam::" + account + ":root", State: sign.Active}, secret, nil
		})}
	s.door = &action.Door{
		Services: []*action.Service{service}, Policy: s, Log: slog.New(slog.DiscardHandler),
		RequestID: func(*http.Request) string { return "6f1e2f9c-0000-4000-8000-000000000000" },
		Who: func(r *http.Request, _ string) (action.Caller, error) {
			id, _, err := v.Verify(r)
			return action.Caller{Account: id.Account, ARN: id.ARN, AccessKey: id.AccessKey}, err
		},
	}
}

// call lets the SDK send its input struct for the action.
func (s *stage) call(t *testing.T, a *action.Action, in reflect.Value) (out reflect.Value, err error) {
	t.Helper()
	m := s.client.MethodByName(a.Name)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := m.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	err, _ = got[1].Interface().(error)
	return got[0], err
}

// sdkInput returns the SDK's input struct for the action, empty.
func (s *stage) sdkInput(t *testing.T, a *action.Action) reflect.Value {
	t.Helper()
	m := s.client.MethodByName(a.Name)
	if !m.IsValid() {
		t.Fatalf("the SDK has no %s", a.Name)
	}
	return reflect.New(m.Type().In(1).Elem())
}

func codeOf(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}
