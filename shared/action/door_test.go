package action

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"karri/shared/awsmodel"
	"karri/shared/fault"
)

// toy is a world with volumes; each belongs to the account it is filed under.
type toy struct {
	owner   map[string]string
	deleted []string
}

type deleteVolumeInput struct{ VolumeId string }

type describeVolumesInput struct {
	Filters    []Filter
	VolumeIds  []string
	MaxResults *int
	NextToken  *string
}

type toyVolume struct {
	VolumeId  string
	Size      *int
	Encrypted bool
	Tags      []struct{ Key, Value *string }
}

type describeVolumesOutput struct {
	Volumes   []toyVolume
	NextToken *string
}

type createVolumeInput struct {
	AvailabilityZone string
	Size             *int
	VolumeType       *string
}

type signer struct{ Account, Arn, UserId string }

type addAccountInput struct {
	Name  string
	State *string `enum:"on off"`
}

type account struct{ Id string }

func newDoor(t *testing.T, log io.Writer) (*Door, *toy) {
	t.Helper()
	w := &toy{owner: map[string]string{"vol-1": "1", "vol-2": "1", "vol-3": "2", "vol-4": "1"}}
	ec2 := NewCatalog[*toy]("ec2", awsmodel.EC2())
	Add(ec2, Def[*toy, deleteVolumeInput, Nothing]{
		Name: "DeleteVolume", Doc: "Deletes a volume.", Example: deleteVolumeInput{"vol-1"},
		On: func(_ context.Context, w *toy, who Caller, in *deleteVolumeInput) ([]Resource, error) {
			owner := w.owner[in.VolumeId]
			if owner == "" {
				return nil, fault.New(fault.Missing, "InvalidVolume.NotFound", "The volume '%s' does not exist.", in.VolumeId)
			}
			return []Resource{{ARN: in.VolumeId, Owner: owner}}, nil
		},
		Run: func(_ context.Context, w *toy, _ Caller, in *deleteVolumeInput) (*Nothing, error) {
			if in.VolumeId == "vol-4" {
				panic("toy")
			}
			w.deleted = append(w.deleted, in.VolumeId)
			return nil, nil
		},
	})
	Add(ec2, Def[*toy, createVolumeInput, toyVolume]{
		Name: "CreateVolume", Doc: "Creates a volume.", Example: createVolumeInput{AvailabilityZone: "a"},
		On: Own[*toy, createVolumeInput],
		Run: func(_ context.Context, _ *toy, _ Caller, in *createVolumeInput) (*toyVolume, error) {
			return &toyVolume{VolumeId: "vol-<9>", Size: in.Size}, nil
		},
	})
	Add(ec2, Def[*toy, describeVolumesInput, describeVolumesOutput]{
		Name: "DescribeVolumes", Doc: "Lists volumes.", List: &List{Filters: []string{"size", "tag"}}, On: Own[*toy, describeVolumesInput],
		Run: func(ctx context.Context, w *toy, who Caller, in *describeVolumesInput) (*describeVolumesOutput, error) {
			var all []toyVolume
			for v, owner := range w.owner {
				if owner == who.Account {
					all = append(all, toyVolume{VolumeId: v})
				}
			}
			page, next, err := Page(ctx, all, func(v toyVolume) string { return v.VolumeId })
			return &describeVolumesOutput{page, next}, err
		},
	})
	sts, own := otherCatalogs(ec2)
	trail := trailCatalog()
	return &Door{
		Services: []*Service{ec2.With(w), sts.With(w), own.With(w), trail.With(w)}, Policy: OwnerOnly{}, Log: slog.New(slog.NewJSONHandler(log, nil)),
		RequestID: func(*http.Request) string { return "req-1" },
		Who: func(r *http.Request, _ string) (Caller, error) {
			who := r.Header.Get("Who")
			if who == "" {
				return Caller{}, fault.New(fault.Denied, "AuthFailure", "No signature.")
			}
			return Caller{Account: who, Admin: who == "0", ARN: "arn:" + who}, nil
		},
	}, w
}

// otherCatalogs adds an empty read to ec2 and makes two more services.
func otherCatalogs(ec2 *Catalog[*toy]) (sts, own *Catalog[*toy]) {
	Empty(ec2, "DescribeSpotInstanceRequests", "Karri has no spot market.", map[string]string{"SpotInstanceRequestIds": "InvalidSpotInstanceRequestID.NotFound"})
	sts = NewCatalog[*toy]("sts", awsmodel.STS())
	Add(sts, Def[*toy, struct{}, signer]{
		Name: "GetCallerIdentity", Doc: "Says who asks.", On: Everyone[*toy, struct{}],
		Run: func(_ context.Context, _ *toy, who Caller, _ *struct{}) (*signer, error) {
			return &signer{Account: who.Account, Arn: who.ARN}, nil
		},
	})
	own = NewCatalog[*toy]("karri", nil)
	Add(own, Def[*toy, addAccountInput, account]{
		Name: "CreateAccount", Doc: "Creates an account.", Example: addAccountInput{Name: "x"}, On: AdminOnly[*toy, addAccountInput],
		Run: func(_ context.Context, _ *toy, _ Caller, in *addAccountInput) (*account, error) {
			return &account{Id: in.Name}, nil
		},
	})
	return sts, own
}

func ask(t *testing.T, d *Door, who, form string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Who", who)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestEC2AnswersAsEC2Does(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	for _, c := range []struct {
		who, form string
		status    int
		want      string
	}{
		{"1", "Action=DeleteVolume&Version=2016-11-15&VolumeId=vol-1", 200,
			`<DeleteVolumeResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>req-1</requestId><return>true</return></DeleteVolumeResponse>`},
		{"1", "Action=DescribeVolumes&Version=2013-02-01", 200,
			`<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2013-02-01/"><requestId>req-1</requestId><volumeSet><item><encrypted>false</encrypted><tagSet/><volumeId>vol-1</volumeId></item>`},
		{"9", "Action=DescribeVolumes", 200, `<volumeSet/></DescribeVolumesResponse>`},
		{"1", "Action=CreateVolume&AvailabilityZone=a&Size=3", 200, `<size>3</size><tagSet/><volumeId>vol-&lt;9&gt;</volumeId>`},
		{"1", "Action=DescribeSpotInstanceRequests&Filter.1.Name=anything&Filter.1.Value.1=x&MaxResults=7", 200, `<spotInstanceRequestSet/></Describe`},
		{"1", "Action=DeleteVolume&VolumeId=vol-1&DryRun=true", 412, "<Code>DryRunOperation</Code>"},
		{"2", "Action=DeleteVolume&VolumeId=vol-1&DryRun=true", 403, "<Code>UnauthorizedOperation</Code>"},
		{"0", "Action=DeleteVolume&VolumeId=vol-1&DryRun=false", 200, "true"},
		{"1", "Action=DeleteVolume&VolumeId=vol-4", 500, "<Code>InternalError</Code>"},
		{"", "Action=DescribeVolumes", 401, "<Response><Errors><Error><Code>AuthFailure</Code><Message>No signature.</Message></Error></Errors><RequestID>req-1</RequestID></Response>"},
	} {
		if status, body := ask(t, d, c.who, c.form); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s by %s: %d %s", c.form, c.who, status, body)
		}
	}
}

func TestEC2RefusesByName(t *testing.T) {
	d, w := newDoor(t, io.Discard)
	for form, want := range map[string]string{
		"":                                                                                 "MissingAction",
		"Action=MakeCoffee":                                                                "InvalidAction",
		"Action=CreateVpcCoffe":                                                            "InvalidAction",
		"Action=CreateSpotDatafeedSubscription":                                            "UnsupportedOperation",
		"Action=DeleteVolume":                                                              "MissingParameter VolumeId",
		"Action=DeleteVolume&VolumeId=":                                                    "MissingParameter VolumeId",
		"Action=DeleteVolume&VolumeId.1=vol-1":                                             "UnknownParameter VolumeId.1",
		"Action=DeleteVolume&VolumeId=vol-1&Foo=":                                          "UnknownParameter Foo",
		"Action=DeleteVolume&VolumeId=vol-1&VolumeId=vol-2":                                "InvalidParameterCombination VolumeId",
		"Action=DeleteVolume&VolumeId=vol-1&DryRun=perhaps":                                "InvalidParameterValue DryRun",
		"Action=DeleteVolume&VolumeId=vol-9":                                               "InvalidVolume.NotFound vol-9",
		"Action=CreateVolume&AvailabilityZone=a&Size=big":                                  "InvalidParameterValue Size",
		"Action=CreateVolume&AvailabilityZone=a&Size=3000000000":                           "InvalidParameterValue Size",
		"Action=CreateVolume&AvailabilityZone=a&VolumeType=tape":                           "InvalidParameterValue VolumeType",
		"Action=CreateVolume&AvailabilityZone=a&Encrypted=true":                            "UnsupportedOperation Encrypted",
		"Action=CreateVolume&AvailabilityZone=a&Encrypted=false&KmsKeyId=x":                "UnsupportedOperation KmsKeyId",
		"Action=CreateVolume&AvailabilityZone=a&TagSpecification.1.ResourceType=volume":    "UnsupportedOperation TagSpecification",
		"Action=CreateVolume&AvailabilityZone=%00":                                         "InvalidParameterValue AvailabilityZone",
		"Action=DescribeVolumes&MaxResults=2":                                              "InvalidParameterValue MaxResults",
		"Action=DescribeVolumes&MaxResults=1001":                                           "InvalidParameterValue MaxResults",
		"Action=DescribeVolumes&NextToken=abc":                                             "InvalidNextToken",
		"Action=DescribeVolumes&Filter.1.Name=colour&Filter.1.Value.1=x":                   "InvalidParameterValue colour",
		"Action=DescribeVolumes&Filter.1.Name=size":                                        "InvalidParameterValue size",
		"Action=DescribeVolumes&Filter.x.Name=size":                                        "UnknownParameter Filter.x",
		"Action=DescribeVolumes&Version=1":                                                 "NoSuchVersion",
		"Action=DescribeVolumes&Version=2099-01-01":                                        "NoSuchVersion",
		"Action=DescribeSpotInstanceRequests&SpotInstanceRequestId.1=sir-1":                "InvalidSpotInstanceRequestID.NotFound sir-1",
		"Action=DescribeVolumes&%zz":                                                       "MalformedQueryString",
		"Action=DescribeVolumes&Version=2016-11-15&VolumeId.1=a&VolumeId.01=b":             "UnknownParameter VolumeId",
		"Action=DescribeVolumes&" + strings.Repeat("a.", 40) + "=1":                        "UnknownParameter",
		"Action=DescribeVolumes&Filter.1.Name=size&Filter.1.Value.1=1&Filter.1.Colour.1=1": "UnknownParameter Filter.1.Colour",
	} {
		code, name, _ := strings.Cut(want, " ")
		status, body := ask(t, d, "1", form)
		if status != 400 || !strings.Contains(body, "<Code>"+code+"</Code>") || !strings.Contains(body, name) {
			t.Errorf("%s: want %s, got %d %s", form, want, status, body)
		}
	}
	if len(w.deleted) > 0 {
		t.Errorf("a refused request deleted %v", w.deleted)
	}
}

func TestHarmlessDefaultsAreTaken(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	form := "Action=CreateVolume&AvailabilityZone=a&Encrypted=FALSE&KmsKeyId=&MultiAttachEnabled=false&Throughput=125"
	if status, body := ask(t, d, "1", form); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

func TestTheHarmlessTableIsOfTheModel(t *testing.T) {
	shapes := map[string]*awsmodel.Shape{}
	var visit func(s *awsmodel.Shape)
	visit = func(s *awsmodel.Shape) {
		if s == nil || shapes[s.Name] != nil {
			return
		}
		shapes[s.Name] = s
		if s.Element != nil {
			visit(s.Element.Shape)
		}
		for _, m := range s.Members {
			visit(m.Shape)
		}
	}
	for _, op := range awsmodel.EC2().Operations {
		visit(op.Input)
	}
	for key := range harmless {
		shape, member, _ := strings.Cut(key, ".")
		if s := shapes[shape]; s == nil || s.Member(member) == nil {
			t.Errorf("%s is in no request of the model", key)
		}
	}
}

func TestQueryServicesAnswerInTheirForm(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	status, body := ask(t, d, "1", "Action=GetCallerIdentity&Version=2011-06-15&SomethingNew=1")
	if want := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>1</Account><Arn>arn:1</Arn><UserId></UserId></GetCallerIdentityResult><ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`; status != 200 || !strings.HasSuffix(body, want) {
		t.Errorf("%d %s", status, body)
	}
	status, body = ask(t, d, "", "Action=GetCallerIdentity&Version=2011-06-15")
	if status != 401 || !strings.Contains(body, "<ErrorResponse") || !strings.Contains(body, "<Type>Sender</Type><Code>AuthFailure</Code>") {
		t.Errorf("%d %s", status, body)
	}
}

func TestJSONReachesEveryService(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	for _, c := range []struct {
		who, target, body string
		status            int
		want              string
	}{
		{"0", "karri.CreateAccount", `{"Name":"a","State":"on"}`, 200, `{"Id":"a"}`},
		{"1", "karri.CreateAccount", `{"Name":"a"}`, 403, `"UnauthorizedOperation"`},
		{"0", "karri.CreateAccount", `{}`, 400, `MissingParameter`},
		{"0", "karri.CreateAccount", `{"Name":"a","State":"maybe"}`, 400, `InvalidParameterValue`},
		{"0", "karri.CreateAccount", `{"Name":["a"]}`, 400, `InvalidParameterValue`},
		{"0", "karri.CreateAccount", `[1]`, 400, `SerializationException`},
		{"0", "karri.CreateAccount", `{"Nome":"a"}`, 400, `UnknownParameter`},
		{"1", "ec2.DescribeVolumes", `{"VolumeIds":["vol-1"],"Filters":[{"Name":"size","Values":["1"]}],"NextToken":null}`, 200, `{"Volumes":[{"Encrypted":false,"Tags":[],"VolumeId":"vol-1"},`},
		{"1", "ec2.DescribeVolumes", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), 400, `SerializationException`},
		{"1", "nonsense", `{}`, 400, `UnknownOperationException`},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {c.target}, "Who": {c.who}}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d %s", c.target, c.body, w.Code, w.Body)
		}
	}
}

func TestAHeaderDoesNotTurnAGetIntoAnotherAction(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	r := httptest.NewRequest(http.MethodGet, "/?Action=GetCallerIdentity&Version=2011-06-15", nil)
	r.Header = http.Header{"Content-Type": {"application/json"}, "X-Amz-Target": {"ec2.DescribeVolumes"}, "Who": {"1"}}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "GetCallerIdentityResult") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPagesOverTheWire(t *testing.T) {
	d, w := newDoor(t, io.Discard)
	for i := range 12 {
		w.owner["vol-x"+string(rune('a'+i))] = "7"
	}
	form, pages := "Action=DescribeVolumes&MaxResults=5", 0
	next := ""
	for {
		status, body := ask(t, d, "7", form+next)
		pages++
		_, rest, more := strings.Cut(body, "<nextToken>")
		if status != 200 || strings.Count(body, "<item>") > 5 {
			t.Fatal(status, body)
		}
		if !more {
			break
		}
		token, _, _ := strings.Cut(rest, "<")
		next = "&NextToken=" + url.QueryEscape(token)
	}
	if pages != 3 {
		t.Errorf("%d pages", pages)
	}
	if status, body := ask(t, d, "7", form+"&VolumeId.1=x"+next); status != 400 || !strings.Contains(body, "InvalidNextToken") {
		t.Errorf("a token for another question: %d %s", status, body)
	}
}

func TestEachRequestLeavesOneAuditLine(t *testing.T) {
	var log bytes.Buffer
	d, _ := newDoor(t, &log)
	seen := ""
	d.Seen = func(_ context.Context, service, action, code string) {
		seen += service + ":" + action + " " + code + ","
	}
	ask(t, d, "1", "Action=DeleteVolume&VolumeId=vol-1")
	ask(t, d, "2", "Action=DeleteVolume&VolumeId=vol-1")
	ask(t, d, "2", "Action=Anything")
	if want := "ec2:DeleteVolume ok,ec2:DeleteVolume UnauthorizedOperation,ec2:unknown InvalidAction,"; seen != want {
		t.Errorf("counted %s, want %s", seen, want)
	}
	var lines []map[string]any
	for line := range strings.Lines(log.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, m)
	}
	if len(lines) != 3 || lines[0]["code"] != "ok" || lines[1]["code"] != "UnauthorizedOperation" || lines[1]["account"] != "2" || lines[1]["request_id"] != "req-1" {
		t.Errorf("got %v", lines)
	}
}

func TestTooLongIsRefused(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	if status, body := ask(t, d, "1", "Action=DescribeVolumes&VolumeId.1="+strings.Repeat("x", maxBody)); status != 413 {
		t.Errorf("%d %s", status, body)
	}
}

func TestTheManualSaysWhatCanBeAsked(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/catalog", nil))
	var all []Manual
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	page := all[0].Actions[2]
	if page.Name != "DescribeSpotInstanceRequests" || !page.Absent || page.Changes {
		t.Errorf("got %+v", page)
	}
	if page = all[0].Actions[3]; !page.Paged || page.Lists[0] != "Volumes" || page.Params[0].Name != "Filters" || page.Params[0].Parts[1].Element != "string" {
		t.Errorf("got %+v", page)
	}
	if page = all[0].Actions[0]; !page.Params[0].Required || len(page.Params[2].Enum) < 5 {
		t.Errorf("got %+v", page)
	}
}
