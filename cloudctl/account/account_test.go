package account

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/bucket/buckettest"
	"karri/shared/fault"
	"karri/shared/sign"
)

func open(t *testing.T) *Book {
	t.Helper()
	s, v, _ := storetest.Open(t)
	b := &Book{Store: s, Vault: v, Clock: time.Now, Buckets: buckettest.New(nil)}
	for range 2 { // a second start founds nothing anew
		if err := b.Found(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// verify signs a request with the key and returns who it is taken for.
func (b *Book) verify(t *testing.T, s Secret) (sign.Identity, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://cloud/", strings.NewReader("Action=DescribeRegions"))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("Action=DescribeRegions")), nil }
	if err := sign.Request(r, sign.Credentials{AccessKey: s.AccessKey, Secret: s.Secret}, sign.Scope{Region: "us-east-1", Service: "ec2", At: time.Now()}, ""); err != nil {
		t.Fatal(err)
	}
	v := &sign.Verifier{Dialect: sign.EC2, Region: "us-east-1", Services: []string{"ec2"}, Keys: b}
	who, _, err := v.Verify(r)
	return who, err
}

func TestAnAccountCanBeUsedAtOnceAndNoLongerWhenSuspended(t *testing.T) {
	b := open(t)
	a, key, err := b.Create(t.Context(), "physics")
	if err != nil {
		t.Fatal(err)
	}
	if who, err := b.verify(t, key); err != nil || who.Account != a.ID || who.ARN != "arn:aws:iam::"+a.ID+":root" {
		t.Errorf("%+v, %v", who, err)
	}
	if err := b.Suspend(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.verify(t, key); err == nil {
		t.Error("a suspended account is let in")
	}
	if err := b.Resume(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.verify(t, key); err != nil {
		t.Errorf("after it was resumed: %v", err)
	}
}

func TestALostRootKeyIsReplaced(t *testing.T) {
	b := open(t)
	first, err := b.RootKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.RootKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.verify(t, first); err == nil {
		t.Error("the lost key is let in")
	}
	who, err := b.verify(t, second)
	if err != nil {
		t.Fatal(err)
	}
	if !who.Rights.Admin() {
		t.Error("the administrator is none")
	}
}

func TestEachAccountHasItsOwnDefaultNetworkInEachZone(t *testing.T) {
	b := open(t)
	for _, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1a"} {
		if err := b.AddZone(t.Context(), zone); err != nil {
			t.Fatal(err)
		}
		if err := b.Store.InTx(t.Context(), func(tx *store.Tx) error {
			return tx.Put(&store.Component{Name: zone, Role: "clusterctl", Zone: zone})
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := b.Create(t.Context(), "late"); err != nil {
		t.Fatal(err)
	}
	var subnets []store.Subnet
	var vpcs []store.VPC
	if err := b.Store.View(t.Context(), func(tx *store.Tx) (err error) {
		if vpcs, err = tx.VPCsOf(store.AnyAccount); err == nil {
			subnets, err = tx.SubnetsOf(store.AnyAccount)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(vpcs) != 2 || vpcs[0].VNI == vpcs[1].VNI || len(subnets) != 4 {
		t.Fatalf("vpcs %+v, subnets %+v", vpcs, subnets)
	}
	if subnets[0].CIDR != "172.31.0.0/20" || subnets[1].CIDR != "172.31.16.0/20" {
		t.Errorf("subnets %s and %s", subnets[0].CIDR, subnets[1].CIDR)
	}
}

func TestAnAccountIsDeletedOnlyWhenItHasNothing(t *testing.T) {
	b := open(t)
	a, _, err := b.Create(t.Context(), "brief")
	if err != nil {
		t.Fatal(err)
	}
	lent := &store.Address{Address: "198.51.100.1", Account: a.ID}
	if err := b.Store.InTx(t.Context(), func(tx *store.Tx) error { return tx.Add(lent) }); err != nil {
		t.Fatal(err)
	}
	walrus := b.Buckets.(*buckettest.Fake)
	walrus.UserPut(a.ID, "pond", "fish", nil)
	if err := b.Delete(t.Context(), a.ID); fault.CodeOf(err) != "DeleteConflict" || !strings.Contains(err.Error(), "1 addresses, 1 buckets (pond)") {
		t.Errorf("got %v", err)
	}
	if err := b.Store.InTx(t.Context(), func(tx *store.Tx) error { return tx.Drop(lent) }); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), a.ID); fault.CodeOf(err) != "DeleteConflict" || !strings.Contains(err.Error(), "pond") {
		t.Errorf("with a bucket: %v", err)
	}
	walrus.Fail(func(string, string, string) error { return fault.New(fault.Later, "Unavailable", "Away.") })
	if err := b.Delete(t.Context(), a.ID); fault.KindOf(err) != fault.Later {
		t.Errorf("while walrus cannot be asked: %v", err)
	}
	b.Buckets = buckettest.New(nil)
	if err := b.Delete(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), a.ID); fault.KindOf(err) != fault.Missing {
		t.Errorf("the second time: %v", err)
	}
}

func TestNamesAndTheAdministratorAreGuarded(t *testing.T) {
	b := open(t)
	for _, name := range []string{"", "A", "-a", "a-", "a b", "a\n", strings.Repeat("a", 64)} {
		if _, _, err := b.Create(t.Context(), name); fault.CodeOf(err) != "InvalidParameterValue" {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, _, err := b.Create(t.Context(), AdminName); fault.CodeOf(err) != "EntityAlreadyExists" {
		t.Errorf("a second admin: %v", err)
	}
	all, err := b.List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%v %v", all, err)
	}
	if err := b.Suspend(t.Context(), all[0].ID); fault.CodeOf(err) != "OperationNotPermitted" {
		t.Errorf("the administrator was suspended: %v", err)
	}
}

func TestAnAccountsPoliciesAreFoundByItsNameToo(t *testing.T) {
	b := open(t)
	a, _, err := b.Create(t.Context(), "physics")
	if err != nil {
		t.Fatal(err)
	}
	const limit = `{"Statement":{"Effect":"Limit","Action":"*","Resource":"*","Condition":{"NumericLessThanEquals":{"ec2:quota-volumenumber":"4"}}}}`
	if err := b.PutPolicy(t.Context(), "physics", "four", limit); err != nil {
		t.Fatal(err)
	}
	if p, err := b.Policy(t.Context(), "physics", "four"); err != nil || p.Account != a.ID || p.Holder != a.ID {
		t.Errorf("%+v, %v", p, err)
	}
	if all, err := b.Policies(t.Context(), a.ID); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	if id, err := b.Called(t.Context(), "physics"); err != nil || id != a.ID {
		t.Error(id, err)
	}
	if err := b.DeletePolicy(t.Context(), "physics", "four"); err != nil {
		t.Error(err)
	}
	if _, err := b.Policies(t.Context(), "chemistry"); fault.KindOf(err) != fault.Missing {
		t.Error(err)
	}
}
