package iam_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"karri/cloudctl/account"
	"karri/cloudctl/mfa"
	"karri/cloudctl/rights"
)

func TestPasswords(t *testing.T) {
	w := newWorld(t)
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	key := ok(w, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: str("ada")}).AccessKey
	me := w.client(*key.AccessKeyId, *key.SecretAccessKey)
	for _, bad := range []string{"short1A", "onlysmalletters1", "ONLY-CAPITALS", "Ünicöde-1ł"} {
		refused(w, "PasswordPolicyViolation", w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: str("ada"), Password: &bad})
	}
	refused(w, "NoSuchEntity", w.root.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	six, two, days := int32(6), int32(2), int32(30)
	ok(w, w.root.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: &six, RequireNumbers: true, PasswordReusePrevention: &two, MaxPasswordAge: &days})
	rules := ok(w, w.root.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{}).PasswordPolicy
	if !rules.RequireNumbers || rules.RequireSymbols || !rules.ExpirePasswords || *rules.MaxPasswordAge != 30 || rules.AllowUsersToChangePassword {
		t.Errorf("%+v", rules)
	}
	refused(w, "NoSuchEntity", me.ChangePassword, &iam.ChangePasswordInput{OldPassword: str("a"), NewPassword: str("first-1")})
	refused(w, "InvalidUserType", w.root.ChangePassword, &iam.ChangePasswordInput{OldPassword: str("a"), NewPassword: str("first-1")})
	refused(w, "PasswordPolicyViolation", w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: str("ada"), Password: str("nodigits")})
	ok(w, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: str("ada"), Password: str("first-1"), PasswordResetRequired: true})
	refused(w, "EntityAlreadyExists", w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: str("ada"), Password: str("first-1")})
	refused(w, "AccessDenied", me.ChangePassword, &iam.ChangePasswordInput{OldPassword: str("first-2"), NewPassword: str("second-2")})
	refused(w, "PasswordPolicyViolation", me.ChangePassword, &iam.ChangePasswordInput{OldPassword: str("first-1"), NewPassword: str("first-1")})
	ok(w, me.ChangePassword, &iam.ChangePasswordInput{OldPassword: str("first-1"), NewPassword: str("second-2")})
	if p := ok(w, w.root.GetLoginProfile, &iam.GetLoginProfileInput{UserName: str("ada")}).LoginProfile; p.PasswordResetRequired {
		t.Error("it still has to be changed")
	}
	refused(w, "PasswordPolicyViolation", me.ChangePassword, &iam.ChangePasswordInput{OldPassword: str("second-2"), NewPassword: str("first-1")})
	ok(w, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: str("ada"), Password: str("third-3")})
	ok(w, me.ChangePassword, &iam.ChangePasswordInput{OldPassword: str("third-3"), NewPassword: str("first-1")}) // the third before
	ok(w, w.root.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{})
	refused(w, "NoSuchEntity", w.root.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{})
}

func TestDevices(t *testing.T) {
	w := newWorld(t)
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	d := ok(w, w.root.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: str("phone"), Path: str("/x/")}).VirtualMFADevice
	if *d.SerialNumber != "arn:aws:iam::"+w.account+":mfa/x/phone" || len(d.Base32StringSeed) != 32 || string(d.QRCodePNG[1:4]) != "PNG" {
		t.Errorf("%s %s", *d.SerialNumber, d.Base32StringSeed)
	}
	refused(w, "EntityAlreadyExists", w.root.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: str("phone"), Path: str("/x/")})
	code := func(after time.Duration) *string {
		c, err := mfa.CodeAt(string(d.Base32StringSeed), w.api.Clock().Add(after))
		if err != nil {
			t.Fatal(err)
		}
		return &c
	}
	enable := &iam.EnableMFADeviceInput{UserName: str("ada"), SerialNumber: d.SerialNumber, AuthenticationCode1: code(-30 * time.Second), AuthenticationCode2: code(-30 * time.Second)}
	refused(w, "InvalidAuthenticationCode", w.root.EnableMFADevice, enable)
	enable.AuthenticationCode2 = code(0)
	ok(w, w.root.EnableMFADevice, enable)
	refused(w, "EntityAlreadyExists", w.root.EnableMFADevice, enable)
	refused(w, "InvalidAuthenticationCode", w.root.ResyncMFADevice, &iam.ResyncMFADeviceInput{
		UserName: str("ada"), SerialNumber: d.SerialNumber, AuthenticationCode1: enable.AuthenticationCode1, AuthenticationCode2: enable.AuthenticationCode2})
	ok(w, w.root.ResyncMFADevice, &iam.ResyncMFADeviceInput{
		UserName: str("ada"), SerialNumber: d.SerialNumber, AuthenticationCode1: code(60 * time.Second), AuthenticationCode2: code(90 * time.Second)})
	if got := ok(w, w.root.ListMFADevices, &iam.ListMFADevicesInput{UserName: str("ada")}).MFADevices; len(got) != 1 || *got[0].SerialNumber != *d.SerialNumber {
		t.Errorf("%+v", got)
	}
	list := func(s types.AssignmentStatusType) []types.VirtualMFADevice {
		return ok(w, w.root.ListVirtualMFADevices, &iam.ListVirtualMFADevicesInput{AssignmentStatus: s}).VirtualMFADevices
	}
	if got := list("Assigned"); len(got) != 1 || *got[0].User.UserName != "ada" || len(got[0].Base32StringSeed) > 0 {
		t.Errorf("%+v", got)
	}
	refused(w, "DeleteConflict", w.root.DeleteUser, &iam.DeleteUserInput{UserName: str("ada")})
	refused(w, "DeleteConflict", w.root.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: d.SerialNumber})
	ok(w, w.root.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: d.SerialNumber, Tags: []types.Tag{{Key: str("A"), Value: str("1")}}})
	ok(w, w.root.UntagMFADevice, &iam.UntagMFADeviceInput{SerialNumber: d.SerialNumber, TagKeys: []string{"a"}})
	if got := ok(w, w.root.ListMFADeviceTags, &iam.ListMFADeviceTagsInput{SerialNumber: d.SerialNumber}).Tags; len(got) != 0 {
		t.Errorf("%+v", got)
	}
	ok(w, w.root.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: str("ada"), SerialNumber: d.SerialNumber})
	if got := list("Unassigned"); len(got) != 1 || got[0].User != nil {
		t.Errorf("%+v", got)
	}
	w.later = 5 * time.Minute
	ok(w, w.root.EnableMFADevice, &iam.EnableMFADeviceInput{UserName: str(w.account), SerialNumber: d.SerialNumber, AuthenticationCode1: code(0), AuthenticationCode2: code(30 * time.Second)}) // of root
	if got := ok(w, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap; got["AccountMFAEnabled"] != 1 || got["Users"] != 1 || got["MFADevicesInUse"] != 1 {
		t.Errorf("%v", got)
	}
	ok(w, w.root.DeactivateMFADevice, &iam.DeactivateMFADeviceInput{UserName: str("physics"), SerialNumber: d.SerialNumber})
	ok(w, w.root.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: d.SerialNumber})
}

func TestTheReportNamesAllCredentials(t *testing.T) {
	w := newWorld(t)
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	key := ok(w, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: str("ada")}).AccessKey
	ok(w, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: str("ada"), Password: str("Engine-1843")})
	w.book.Used = &account.Usage{Store: w.api.Store, Log: w.door.Log}
	ok(w, w.client(*key.AccessKeyId, *key.SecretAccessKey).GetUser, &iam.GetUserInput{})
	w.used()
	last := ok(w, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId})
	if *last.UserName != "ada" || *last.AccessKeyLastUsed.ServiceName != "iam" || *last.AccessKeyLastUsed.Region != "us-east-1" || last.AccessKeyLastUsed.LastUsedDate == nil {
		t.Errorf("%+v", last.AccessKeyLastUsed)
	}
	refused(w, "ReportNotPresent", w.root.GetCredentialReport, &iam.GetCredentialReportInput{})
	if got := ok(w, w.root.GenerateCredentialReport, &iam.GenerateCredentialReportInput{}); got.State != "STARTED" {
		t.Errorf("%+v", got)
	}
	if got := ok(w, w.root.GenerateCredentialReport, &iam.GenerateCredentialReportInput{}); got.State != "COMPLETE" {
		t.Errorf("%+v", got)
	}
	report := ok(w, w.root.GetCredentialReport, &iam.GetCredentialReportInput{})
	rows, err := csv.NewReader(strings.NewReader(string(report.Content))).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][0] != "<root_account>" || rows[2][0] != "ada" {
		t.Fatal(rows, err)
	}
	field := func(name string) string { return rows[2][slices.Index(rows[0], name)] }
	for name, want := range map[string]string{"arn": "arn:aws:iam::" + w.account + ":user/ada", "password_enabled": "true", "mfa_active": "false",
		"access_key_1_active": "true", "access_key_1_last_used_service": "iam", "access_key_2_active": "false", "cert_1_active": "false"} {
		if field(name) != want {
			t.Errorf("%s is %s", name, field(name))
		}
	}
	w.later = 5 * time.Hour
	refused(w, "ReportExpired", w.root.GetCredentialReport, &iam.GetCredentialReportInput{})
}

func TestUsersMayChangeTheirPasswordsWhereTheAccountLetsThem(t *testing.T) {
	w := newWorld(t)
	w.door.Policy = &rights.Policy{Vault: w.api.Vault}
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada"), Path: str(`/"quoted"/`)})
	ok(w, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: str("ada"), Password: str("Engine-1843")})
	key := ok(w, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: str("ada")}).AccessKey
	me := w.client(*key.AccessKeyId, *key.SecretAccessKey)
	change := &iam.ChangePasswordInput{OldPassword: str("Engine-1843"), NewPassword: str("Engine-1844")}
	refused(w, "AccessDenied", me.ChangePassword, change)
	refused(w, "AccessDenied", me.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	ok(w, w.root.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: true})
	ok(w, me.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:ChangePassword","Resource":"*"}]}`
	ok(w, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: str("ada"), PolicyName: str("no"), PolicyDocument: &deny})
	refused(w, "AccessDenied", me.ChangePassword, change)
	ok(w, w.root.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: str("ada"), PolicyName: str("no")})
	ok(w, me.ChangePassword, change)
	refused(w, "AccessDenied", me.GetUser, &iam.GetUserInput{})
}

// at runs try ten times at once and returns how many succeeded.
func at(try func() error) (done int) {
	errs := make(chan error, 10)
	for range cap(errs) {
		go func() { errs <- try() }()
	}
	for range cap(errs) {
		if <-errs == nil {
			done++
		}
	}
	return done
}

func TestManyAtOnceGetNoMoreThanOneAfterAnother(t *testing.T) {
	w := newWorld(t)
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	if n := at(func() error {
		_, err := w.root.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: str("ada")})
		return err
	}); n != 2 {
		t.Errorf("%d keys", n)
	}
	if n := at(func() error {
		_, err := w.root.CreateUser(t.Context(), &iam.CreateUserInput{UserName: str("bob")})
		return err
	}); n != 1 {
		t.Errorf("%d users of one name", n)
	}
	d := ok(w, w.root.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: str("phone")}).VirtualMFADevice
	first, err1 := mfa.CodeAt(string(d.Base32StringSeed), w.api.Clock().Add(-30*time.Second))
	second, err2 := mfa.CodeAt(string(d.Base32StringSeed), w.api.Clock())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if n := at(func() error {
		_, err := w.root.EnableMFADevice(t.Context(), &iam.EnableMFADeviceInput{UserName: str("ada"), SerialNumber: d.SerialNumber, AuthenticationCode1: &first, AuthenticationCode2: &second})
		return err
	}); n != 1 {
		t.Errorf("the same codes are taken %d times", n)
	}
	ok(w, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: str("bob"), Password: str("Engine-1843")})
	key := ok(w, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: str("bob")}).AccessKey
	me := w.client(*key.AccessKeyId, *key.SecretAccessKey)
	if n := at(func() error {
		_, err := me.ChangePassword(t.Context(), &iam.ChangePasswordInput{OldPassword: str("Engine-1843"), NewPassword: str("Engine-1844")})
		return err
	}); n != 1 {
		t.Errorf("one old password changes %d times", n)
	}
}
