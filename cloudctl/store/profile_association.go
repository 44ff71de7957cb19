package store

import (
	"time"

	"karri/shared/id"
)

// A ProfileAssociation gives an instance the role that an instance profile
// carries. There is at most one for each instance.
type ProfileAssociation struct {
	ID       string `gorm:"primaryKey"` // iip-assoc-...
	Account  string
	Instance id.Instance
	Profile  string // its id
	ARN      string `gorm:"column:arn"` // as it was when it was associated
	Created  time.Time
}

// TableName names the table.
func (ProfileAssociation) TableName() string { return "profile_associations" }

// ProfileAssociation returns an association of an account by id.
func (t *Tx) ProfileAssociation(account, association string) (*ProfileAssociation, error) {
	return one[ProfileAssociation](t.owned(account).Where("id = ?", association),
		missing("InvalidAssociationID.NotFound", "An invalid association-id of '%s' was given", association))
}

// ProfileAssociations returns the associations of an account.
func (t *Tx) ProfileAssociations(account string) ([]ProfileAssociation, error) {
	return many[ProfileAssociation](t.owned(account), "created, id")
}

// DropProfileOf takes its profile from an instance; that it has none is fine.
func (t *Tx) DropProfileOf(instance id.Instance) error {
	return t.g.Where("instance = ?", instance).Delete(&ProfileAssociation{}).Error
}

// A Carried is the role of an instance, by way of a profile that still is.
type Carried struct {
	Instance    id.Instance
	Association string
	ProfileID   string
	ProfileARN  string `gorm:"column:profile_arn"`
	RoleName    string
	RoleID      string
	Account     string
}

// RolesIn returns the roles of the instances of a zone.
func (t *Tx) RolesIn(zone string) (map[id.Instance]Carried, error) {
	return t.carried("i.zone = ?", zone)
}

// RoleOf returns the role of an instance; false: it has none.
func (t *Tx) RoleOf(instance id.Instance) (Carried, bool, error) {
	all, err := t.carried("i.id = ?", instance)
	c, ok := all[instance]
	return c, ok, err
}

func (t *Tx) carried(where string, arg any) (map[id.Instance]Carried, error) {
	var rows []Carried
	err := t.g.Raw(`SELECT a.instance, a.id AS association, p.id AS profile_id, a.arn AS profile_arn, r.name AS role_name, r.id AS role_id, a.account
		FROM profile_associations a JOIN instances i ON i.id = a.instance JOIN instance_profiles p ON p.id = a.profile
		JOIN roles r ON r.id = p.role WHERE NOT i.freed AND `+where, arg).Scan(&rows).Error
	all := map[id.Instance]Carried{}
	for _, c := range rows {
		all[c.Instance] = c
	}
	return all, err
}
