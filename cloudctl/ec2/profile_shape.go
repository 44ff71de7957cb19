package ec2

import (
	"strings"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// IamInstanceProfileSpecification names an instance profile by one of these.
type IamInstanceProfileSpecification struct {
	Arn  *string
	Name *string
}

// IamInstanceProfile is an instance profile by which an instance has a role.
type IamInstanceProfile struct {
	Arn string
	Id  string
}

// IamInstanceProfileAssociation gives an instance the role of a profile.
type IamInstanceProfileAssociation struct {
	AssociationId      string
	IamInstanceProfile IamInstanceProfile
	InstanceId         string
	State              string
	Timestamp          time.Time
}

// The states of an association. It is in force as soon as it is written; what
// the answers that change one say is what EC2 says there.
const (
	profileComing = "associating"
	profileThere  = "associated"
	profileGoing  = "disassociating"
)

func associationShape(a *store.ProfileAssociation, state string) IamInstanceProfileAssociation {
	return IamInstanceProfileAssociation{
		AssociationId: a.ID, IamInstanceProfile: IamInstanceProfile{Arn: a.ARN, Id: a.Profile}, InstanceId: string(a.Instance),
		State: state, Timestamp: a.Created,
	}
}

// profile finds the instance profile that a request names, and its role.
func profile(tx *store.Tx, account string, spec *IamInstanceProfileSpecification) (*store.InstanceProfile, *store.Role, error) {
	arn, name := val(spec.Arn), val(spec.Name)
	what, value, words := "name", name, "Invalid IAM Instance Profile name"
	switch {
	case arn != "" && name != "":
		return nil, nil, combination("The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'")
	case arn == "" && name == "":
		return nil, nil, lacking("iamInstanceProfile")
	case arn != "":
		what, value, words = "arn", arn, "Invalid IAM Instance Profile ARN"
		name = arn[strings.LastIndexByte(arn, '/')+1:]
	}
	p, err := tx.InstanceProfile(account, name)
	if err != nil && fault.KindOf(err) != fault.Missing {
		return nil, nil, err
	}
	if err != nil || arn != "" && p.ARN() != arn {
		return nil, nil, invalid("Value (%s) for parameter iamInstanceProfile.%s is invalid. %s", value, what, words)
	}
	if p.Role == "" {
		return nil, nil, invalid("Value (%s) for parameter iamInstanceProfile.%s is invalid. IAM Instance Profile \"%s\" has no associated IAM Roles", value, what, p.ARN())
	}
	r, err := tx.RoleByID(p.Role)
	return p, r, err
}

// addRole notes that the caller hands the role of a profile on to an instance.
func (u *uses) addRole(tx *store.Tx, spec *IamInstanceProfileSpecification) error {
	_, r, err := profile(tx, u.who.Account, spec)
	if err != nil {
		return err
	}
	u.all = append(u.all, action.Resource{
		ARN: r.ARN(), Owner: r.Account, Permission: "iam:PassRole", Keys: map[string][]string{"iam:PassedToService": {"ec2.amazonaws.com"}},
	})
	return nil
}

// carry writes that an instance has a profile.
func (api *API) carry(tx *store.Tx, i *store.Instance, spec *IamInstanceProfileSpecification) (*store.ProfileAssociation, error) {
	p, _, err := profile(tx, i.Account, spec)
	if err != nil {
		return nil, err
	}
	if i.Want == wire.Gone {
		return nil, fault.New(fault.Conflict, "IncorrectInstanceState", "The instance '%s' is being ended.", i.ID)
	}
	a := &store.ProfileAssociation{
		ID: string(id.New[id.ProfileAssoc](api.Rand)), Account: i.Account, Instance: i.ID, Profile: p.ID, ARN: p.ARN(), Created: api.Clock(),
	}
	if err := tx.Add(a); store.Taken(err) {
		return nil, fault.New(fault.Conflict, "IncorrectState", "There is an existing association for instance %s", i.ID)
	} else if err != nil {
		return nil, err
	}
	return a, nil
}

// association finds an association of the caller's by the id that a request has.
func association(tx *store.Tx, account, name string) (*store.ProfileAssociation, error) {
	if !id.Valid[id.ProfileAssoc](name) {
		return nil, fault.New(fault.Invalid, "InvalidAssociationID.Malformed", "Invalid id: %q", name)
	}
	return tx.ProfileAssociation(account, name)
}
