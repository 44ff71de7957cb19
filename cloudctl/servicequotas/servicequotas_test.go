package servicequotas

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
)

type world struct {
	*testing.T
	store *store.Store
	door  *action.Door
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := &world{T: t, store: s}
	w.tx(func(tx *store.Tx) error {
		return tx.Add(&store.Account{ID: "111111111111", Name: "ann", State: store.AccountActive})
	})
	w.tx(func(tx *store.Tx) error {
		return tx.Add(&store.Account{ID: "222222222222", Name: "bob", State: store.AccountActive})
	})
	w.door = &action.Door{
		Services: []*action.Service{Catalog.With(&API{Store: s, Clock: time.Now, Region: "us-east-1"})}, Policy: action.OwnerOnly{}, Log: slog.New(slog.DiscardHandler),
		RequestID: func(*http.Request) string { return "req-1" },
		Who: func(r *http.Request, _ string) (action.Caller, error) {
			a := r.Header.Get("Who")
			return action.Caller{Account: a, ARN: "arn:aws:iam::" + a + ":root", UserID: a}, nil
		},
	}
	return w
}

func (w *world) tx(do func(*store.Tx) error) {
	w.Helper()
	if err := w.store.InTx(w.Context(), do); err != nil {
		w.Fatal(err)
	}
}

// ask asks as the real service is asked, and returns its answer.
func (w *world) ask(who, name, body string, status int) map[string]any {
	w.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"ServiceQuotasV20190624." + name}, "Who": {who}}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	out := map[string]any{}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != status {
		w.Fatalf("%s %s: %d %s %v", name, body, rec.Code, rec.Body, err)
	}
	return out
}

const (
	ann = "111111111111"
	bob = "222222222222"
)

func TestARequestIsAskedForAndGranted(t *testing.T) {
	w := newWorld(t)
	q := func() float64 {
		w.Helper()
		return w.ask(ann, "GetServiceQuota", `{"ServiceCode":"ec2","QuotaCode":"L-0263D0A3"}`, 200)["Quota"].(map[string]any)["Value"].(float64)
	}
	if q() != 20 {
		t.Fatal(q())
	}
	const more = `{"ServiceCode":"ec2","QuotaCode":"L-0263D0A3","DesiredValue":40}`
	r := w.ask(ann, "RequestServiceQuotaIncrease", more, 200)["RequestedQuota"].(map[string]any)
	if r["Status"] != "PENDING" || r["QuotaName"] != "EC2-VPC Elastic IPs" || q() != 20 {
		t.Error(r)
	}
	w.refused("ResourceAlreadyExistsException", "RequestServiceQuotaIncrease", more)
	id := r["Id"].(string)
	w.tx(func(tx *store.Tx) error {
		_, err := quota.Approve(tx, id, "arn:admin", time.Now())
		return err
	})
	if q() != 40 {
		t.Error(q())
	}
	got := w.ask(ann, "GetRequestedServiceQuotaChange", `{"RequestId":"`+id+`"}`, 200)["RequestedQuota"].(map[string]any)
	if got["Status"] != "APPROVED" {
		t.Error(got)
	}
	if err := w.store.InTx(t.Context(), func(tx *store.Tx) error { _, err := quota.Deny(tx, id, "x", time.Now()); return err }); err == nil {
		t.Error("decided twice")
	}
	w.ask(ann, "RequestServiceQuotaIncrease", strings.Replace(more, "40", "41", 1), 200)
	for body, n := range map[string]int{`{}`: 2, `{"Status":"PENDING"}`: 1, `{"ServiceCode":"iam"}`: 0, `{"MaxResults":1}`: 1} {
		if all := w.ask(ann, "ListRequestedServiceQuotaChangeHistory", body, 200)["RequestedQuotas"].([]any); len(all) != n {
			t.Errorf("%s: %v", body, all)
		}
	}
	if all := w.ask(ann, "ListRequestedServiceQuotaChangeHistoryByQuota", `{"ServiceCode":"ec2","QuotaCode":"L-1216C47A"}`, 200)["RequestedQuotas"].([]any); len(all) != 0 {
		t.Error(all)
	}
	if all := w.ask(bob, "ListRequestedServiceQuotaChangeHistory", `{}`, 200)["RequestedQuotas"].([]any); len(all) != 0 {
		t.Error(all)
	}
	w.ask(bob, "GetRequestedServiceQuotaChange", `{"RequestId":"`+id+`"}`, 400)
}

func (w *world) refused(code, name, body string) {
	w.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"ServiceQuotasV20190624." + name}, "Who": {ann}}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	if rec.Code/100 != 4 || !strings.Contains(rec.Body.String(), code) {
		w.Errorf("%s %s: want %s, got %d %s", name, body, code, rec.Code, rec.Body)
	}
}

func TestAGrantDoesNotHideATighterPolicy(t *testing.T) {
	w := newWorld(t)
	w.tx(func(tx *store.Tx) error {
		return tx.Put(&store.InlinePolicy{Holder: ann, Account: ann, Name: "few", Document: `{"Statement":{"Effect":"Limit","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"ec2:quota-addressnumber":"3"}}}}`})
	})
	r := w.ask(ann, "RequestServiceQuotaIncrease", `{"ServiceCode":"ec2","QuotaCode":"L-0263D0A3","DesiredValue":4}`, 200)["RequestedQuota"].(map[string]any)
	err := w.store.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := quota.Approve(tx, r["Id"].(string), "x", time.Now())
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "few") {
		t.Error(err)
	}
}

func TestWhatIsThere(t *testing.T) {
	w := newWorld(t)
	seen := 0
	for _, s := range w.ask(ann, "ListServices", `{}`, 200)["Services"].([]any) {
		code := s.(map[string]any)["ServiceCode"].(string)
		all := w.ask(ann, "ListServiceQuotas", `{"ServiceCode":"`+code+`"}`, 200)["Quotas"].([]any)
		defaults := w.ask(ann, "ListAWSDefaultServiceQuotas", `{"ServiceCode":"`+code+`"}`, 200)["Quotas"].([]any)
		if len(all) == 0 || len(all) != len(defaults) {
			t.Errorf("%s: %d quotas, %d defaults", code, len(all), len(defaults))
		}
		seen += len(all)
	}
	if seen != len(quota.All()) {
		t.Errorf("%d of %d quotas are shown", seen, len(quota.All()))
	}
	w.ask(ann, "GetAWSDefaultServiceQuota", `{"ServiceCode":"vpc","QuotaCode":"L-F678F1CE"}`, 200)
	w.ask(ann, "ListTagsForResource", `{"ResourceARN":"arn:aws:servicequotas:us-east-1:111111111111:ec2/L-0263D0A3"}`, 200)
	for _, c := range [][3]string{
		{"NoSuchResourceException", "ListServiceQuotas", `{"ServiceCode":"moon"}`},
		{"NoSuchResourceException", "GetServiceQuota", `{"ServiceCode":"ec2","QuotaCode":"L-0"}`},
		{"NoSuchResourceException", "RequestServiceQuotaIncrease", `{"ServiceCode":"s4","QuotaCode":"L-0","DesiredValue":1}`},
		{"IllegalArgumentException", "RequestServiceQuotaIncrease", `{"ServiceCode":"ec2","QuotaCode":"L-0263D0A3","DesiredValue":20.5}`},
		{"InvalidParameterValueException", "RequestServiceQuotaIncrease", `{"ServiceCode":"ec2","QuotaCode":"L-0263D0A3","DesiredValue":20}`},
		{"IllegalArgumentException", "RequestServiceQuotaIncrease", `{"ServiceCode":"ec2"}`},
		{"IllegalArgumentException", "ListServiceQuotas", `{"ServiceCode":"ec2","QuotaAppliedAtLevel":"RESOURCE"}`},
	} {
		w.refused(c[0], c[1], c[2])
	}
}
