package action

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"karri/shared/awsmodel"
	"karri/shared/fault"
)

func TestAnUnsignedActionAsksNobodyForASignature(t *testing.T) {
	d, w := newDoor(t, io.Discard)
	sts := NewCatalog[*toy]("sts", awsmodel.STS())
	Add(sts, Def[*toy, struct{}, signer]{
		Name: "GetCallerIdentity", Doc: "Says who asks.", On: Everyone[*toy, struct{}], Unsigned: true,
		Run: func(_ context.Context, _ *toy, who Caller, _ *struct{}) (*signer, error) {
			return &signer{Account: who.Account + "nobody from " + who.SourceIP}, nil
		},
	})
	d.Services = []*Service{sts.With(w)}
	d.Who = func(*http.Request, string) (Caller, error) {
		return Caller{}, fault.New(fault.Denied, "MissingAuthenticationToken", "No.")
	}
	if status, body := ask(t, d, "", "Action=GetCallerIdentity&Version=2011-06-15"); status != 200 || !strings.Contains(body, "<Account>nobody from 192.0.2.1</Account>") {
		t.Errorf("%d %s", status, body)
	}
}
