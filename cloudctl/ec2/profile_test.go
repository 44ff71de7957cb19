package ec2

import (
	"strings"
	"testing"

	"karri/cloudctl/store"
	"karri/shared/id"
	"karri/shared/wire"
)

// roleOf makes ann a role and a profile that carries it.
func (w *world) roleOf(name string) {
	w.Helper()
	w.tx(func(tx *store.Tx) error {
		ann := w.accounts["ann"]
		if err := tx.Add(&store.Role{ID: "AROA" + name, Account: ann, Name: name, Folded: name, Path: "/", Trust: "{}", Tags: store.Labels{}}); err != nil {
			return err
		}
		return tx.Add(&store.InstanceProfile{ID: "AIPA" + name, Account: ann, Name: name, Folded: name, Path: "/", Role: "AROA" + name, Tags: store.Labels{}})
	})
}

func TestInstancesHaveRoles(t *testing.T) {
	w := newWorld(t)
	w.roleOf("web")
	w.roleOf("db")
	arn := "arn:aws:iam::" + w.accounts["ann"] + ":instance-profile/"
	run := "Action=RunInstances&MinCount=1&MaxCount=1&InstanceType=t1.nano&ImageId=" + w.image
	body := w.ask("%s&IamInstanceProfile.Name=web", run)
	w.shows(body, "<iamInstanceProfile><arn>"+arn+"web</arn><id>AIPAweb</id></iamInstanceProfile>")
	i := first(body, "instanceId")
	w.shows(w.ask("%s&IamInstanceProfile.Arn=%sdb", run, arn), arn+"db")
	for _, c := range []string{"Name=nobody", "Arn=" + arn + "nobody", "Arn=arn:aws:iam::000000000001:instance-profile/web", "Arn=web"} {
		w.refused("InvalidParameterValue", "%s&IamInstanceProfile.%s", run, c)
	}
	w.refused("InvalidParameterCombination", "%s&IamInstanceProfile.Name=web&IamInstanceProfile.Arn=%sweb", run, arn)
	w.refused("MissingParameter", "Action=AssociateIamInstanceProfile&InstanceId=%s", i)

	filter := "Action=DescribeInstances&Filter.1.Name=iam-instance-profile.arn&Filter.1.Value.1=" + arn + "web"
	if n := len(all(w.ask("%s", filter), "amiLaunchIndex")); n != 1 {
		t.Errorf("%d instances have the profile", n)
	}
	w.refused("IncorrectState", "Action=AssociateIamInstanceProfile&InstanceId=%s&IamInstanceProfile.Name=db", i)
	list := "Action=DescribeIamInstanceProfileAssociations&Filter.1.Name=instance-id&Filter.1.Value.1=" + i
	body = w.ask("%s", list)
	w.shows(body, "<state>associated</state>", arn+"web")
	a := first(body, "associationId")
	body = w.ask("Action=ReplaceIamInstanceProfileAssociation&AssociationId=%s&IamInstanceProfile.Name=db", a)
	w.shows(body, "<state>associating</state>", arn+"db")
	w.refused("InvalidAssociationID.NotFound", "Action=DisassociateIamInstanceProfile&AssociationId=%s", a)
	w.refused("InvalidAssociationID.Malformed", "Action=DisassociateIamInstanceProfile&AssociationId=%s", i)
	a = first(body, "associationId")
	w.refusedAs("bob", "InvalidAssociationID.NotFound", "Action=DisassociateIamInstanceProfile&AssociationId=%s", a)
	w.shows(w.ask("Action=DisassociateIamInstanceProfile&AssociationId=%s", a), "<state>disassociating</state>")
	w.shows(w.ask("%s", list), "<iamInstanceProfileAssociationSet/>")
	w.shows(w.ask("Action=AssociateIamInstanceProfile&InstanceId=%s&IamInstanceProfile.Name=web", i), "<state>associating</state>")
	if strings.Contains(w.ask("Action=DescribeInstances&InstanceId.1=%s", i), arn+"db") {
		t.Error("the old profile is shown")
	}
	w.tx(func(tx *store.Tx) error {
		c, ok, err := tx.RoleOf(id.Instance(i))
		if !ok || c.RoleName != "web" || c.RoleID != "AROAweb" || c.ProfileARN != arn+"web" {
			t.Errorf("%+v", c)
		}
		return err
	})
	w.tx(func(tx *store.Tx) error {
		return tx.Put(&store.InstanceProfile{ID: "AIPAempty", Account: w.accounts["ann"], Name: "empty", Folded: "empty", Path: "/", Tags: store.Labels{}})
	})
	w.refused("InvalidParameterValue", "%s&IamInstanceProfile.Name=empty", run)
	w.tx(func(tx *store.Tx) error {
		row, err := tx.Instance(w.accounts["ann"], id.Instance(i))
		row.Want = wire.Gone
		return firstError(err, tx.Put(row))
	})
	w.refused("InvalidAssociationID.NotFound", "Action=DescribeIamInstanceProfileAssociations&AssociationId.1=%s", a)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
