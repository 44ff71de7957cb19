package store

import "time"

// A LoginProfile is the password of a user.
type LoginProfile struct {
	User    string `gorm:"primaryKey"` // id
	Account string
	Hash    string   // salted and slow
	Former  []string `gorm:"serializer:json"` // hashes that may not come again
	Reset   bool     // it must be changed at the next login
	Changed time.Time
	Created time.Time
	Used    *time.Time
}

// TableName names the table.
func (LoginProfile) TableName() string { return "login_profiles" }

// An MFADevice is a generator of one-time codes (RFC 6238).
type MFADevice struct {
	Serial  string `gorm:"primaryKey"` // its ARN
	Account string
	Name    string
	Path    string
	Holder  string // id of the user, or the account for its root; "": of nobody yet
	Sealed  []byte // the seed
	Step    int64  // of the newest code that was taken: none is taken twice
	Tags    Labels `gorm:"serializer:json"`
	Created time.Time
	Enabled *time.Time
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (MFADevice) TableName() string { return "mfa_devices" }

// A SigningCertificate is an X.509 certificate of a user.
type SigningCertificate struct {
	ID      string `gorm:"primaryKey"`
	Account string
	User    string // id; "": of the account itself
	Body    string // PEM
	Active  bool
	Created time.Time
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (SigningCertificate) TableName() string { return "signing_certificates" }

// A ServerCertificate is a certificate with its key, for services of the account.
type ServerCertificate struct {
	ID      string `gorm:"primaryKey"` // ASCA...
	Account string
	Name    string
	Folded  string
	Path    string
	Body    string // PEM
	Chain   string // PEM
	Sealed  []byte // the key
	Tags    Labels `gorm:"serializer:json"`
	Created time.Time
	Expires time.Time
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (ServerCertificate) TableName() string { return "server_certificates" }

// ARN is the certificate's name.
func (c *ServerCertificate) ARN() string {
	return "arn:aws:iam::" + c.Account + ":server-certificate" + c.Path + c.Name
}

// LoginProfile returns the password of a user by its id.
func (t *Tx) LoginProfile(user string) (*LoginProfile, error) {
	return one[LoginProfile](t.g.Where("user = ?", user), missing("NoSuchEntity", "The user has no login profile."))
}

// MFADevice returns a device by its serial number.
func (t *Tx) MFADevice(serial string) (*MFADevice, error) {
	return one[MFADevice](t.g.Where("serial = ?", serial), missing("NoSuchEntity", "There is no MFA device %s.", serial))
}

// MFADevicesOf returns the devices of a user by its id, or of an account's root.
func (t *Tx) MFADevicesOf(holder string) ([]MFADevice, error) {
	return many[MFADevice](t.g.Where("holder = ?", holder), "serial")
}

// MFADevices returns all devices of an account.
func (t *Tx) MFADevices(account string) ([]MFADevice, error) {
	return many[MFADevice](t.owned(account), "serial")
}

// SigningCertificatesOf returns the certificates of a user by its id.
func (t *Tx) SigningCertificatesOf(account, user string) ([]SigningCertificate, error) {
	return many[SigningCertificate](t.g.Where("account = ? AND user = ?", account, user), "created, id")
}

// ServerCertificate returns a certificate of an account by name.
func (t *Tx) ServerCertificate(account, name string) (*ServerCertificate, error) {
	return one[ServerCertificate](t.g.Where("account = ? AND folded = ?", account, Fold(name)),
		missing("NoSuchEntity", "The Server Certificate with name %s cannot be found.", name))
}

// ServerCertificates is as Users, of server certificates.
func (t *Tx) ServerCertificates(account, prefix, after string, max int) ([]ServerCertificate, error) {
	return many[ServerCertificate](t.named(account, prefix, after, max), "folded")
}

// LoginProfiles returns the passwords of all users of an account.
func (t *Tx) LoginProfiles(account string) ([]LoginProfile, error) {
	return many[LoginProfile](t.owned(account), "user")
}

// SigningCertificate returns a certificate of an account by its id.
func (t *Tx) SigningCertificate(account, id string) (*SigningCertificate, error) {
	return one[SigningCertificate](t.owned(account).Where("id = ?", id), missing("NoSuchEntity", "The Certificate with id %s cannot be found.", id))
}

// SigningCertificates returns those of an account and all its users.
func (t *Tx) SigningCertificates(account string) ([]SigningCertificate, error) {
	return many[SigningCertificate](t.owned(account), "created, id")
}
