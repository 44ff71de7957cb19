package main

import (
	"encoding/json"
	"strings"
	"testing"

	"karri/shared/action"
)

func decode(t *testing.T, s string) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestInstancesAreTakenOutOfTheirReservations(t *testing.T) {
	out := decode(t, `{"Reservations":[{"ReservationId":"r-1","Instances":[{"InstanceId":"i-1","State":{"Name":"running"},"Tags":[{"Key":"Name","Value":"web"}]}]},{"Instances":[{"InstanceId":"i-2"}]}]}`)
	page := action.ManualPage{Name: "DescribeInstances", Lists: []string{"Reservations"}}
	rows := rowsOf(page, out)
	if len(rows) != 2 || at(rows[0], "Tags.Name") != "web" || at(rows[0], "State.Name") != "running" || at(rows[1], "State.Name") != "" {
		t.Fatalf("rows %v", rows)
	}
	var b strings.Builder
	if err := (&settings{output: "table"}).print(&b, "instance", page, out); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); !strings.Contains(s, "INSTANCE ID") || !strings.Contains(s, "i-1") || !strings.Contains(s, "web") {
		t.Errorf("table:\n%s", s)
	}
}

func TestOnlyTheIdsOrOneMember(t *testing.T) {
	out := decode(t, `{"Volumes":[{"VolumeId":"vol-1","State":"available"},{"VolumeId":"vol-2","State":"in-use"}]}`)
	page := action.ManualPage{Name: "DescribeVolumes", Lists: []string{"Volumes"}}
	for set, want := range map[settings]string{
		{output: "table", idOnly: true}:    "vol-1\nvol-2\n",
		{output: "table", field: "State"}:  "available\nin-use\n",
		{output: "table", field: "Absent"}: "",
	} {
		var b strings.Builder
		if err := set.print(&b, "volume", page, out); err != nil || b.String() != want {
			t.Errorf("%+v prints %q, %v; want %q", set, b.String(), err, want)
		}
	}
}

func TestANewKeyIsARowThoughItHasAListOfTags(t *testing.T) {
	page := action.ManualPage{Name: "CreateKeyPair", Lists: []string{"Tags"}}
	if rows := rowsOf(page, decode(t, `{"KeyName":"k","KeyMaterial":"pem","Tags":[]}`)); len(rows) != 1 || at(rows[0], "KeyMaterial") != "pem" {
		t.Errorf("rows %v", rows)
	}
	page = action.ManualPage{Name: "RunInstances", Lists: []string{"Groups", "Instances"}}
	if rows := rowsOf(page, decode(t, `{"Groups":[],"Instances":[{"InstanceId":"i-1"}],"OwnerId":"1"}`)); len(rows) != 1 || at(rows[0], "InstanceId") != "i-1" {
		t.Errorf("rows %v", rows)
	}
}

func TestCredentialsAsSettings(t *testing.T) {
	var b strings.Builder
	out := decode(t, `{"AccountId":"1","AccessKeyId":"AKIA","SecretAccessKey":"s","Region":"r","Endpoint":"http://e","EndpointS3":"http://s3"}`)
	if err := (&settings{output: "env"}).print(&b, "account", action.ManualPage{}, out); err != nil {
		t.Fatal(err)
	}
	m, err := parseEnv(strings.NewReader(b.String()))
	if err != nil || m[envAccessKey] != "AKIA" || m[envSecret] != "s" || m[envEndpoint] != "http://e" || m[envEndpointS3] != "http://s3" {
		t.Errorf("%q gives %v, %v", b.String(), m, err)
	}
	if err := (&settings{output: "env"}).print(&b, "volume", action.ManualPage{}, map[string]any{}); !isUsage(err) {
		t.Errorf("got %v", err)
	}
}
