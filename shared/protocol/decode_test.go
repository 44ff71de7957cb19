package protocol

import (
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"karri/shared/awsmodel"
	"karri/shared/fault"
)

type imageID string

// runInput is what a daemon honours of RunInstances.
type runInput struct {
	ImageId             imageID
	MinCount            int
	MaxCount            int
	InstanceType        *string
	PrivateIpAddress    *netip.Addr
	SecurityGroupIds    []string
	EbsOptimized        *bool
	BlockDeviceMappings []struct {
		DeviceName *string
		Ebs        *struct {
			VolumeSize          *int
			DeleteOnTermination *bool
			VolumeType          string
		}
	}
	TagSpecifications []struct {
		ResourceType string
		Tags         []struct{ Key, Value string }
	}
	InstanceMarketOptions *struct {
		SpotOptions *struct{ ValidUntil *time.Time }
	}
}

func runPlan(t testing.TB) *Plan {
	t.Helper()
	p, err := For(awsmodel.EC2().Operations["RunInstances"].Input, reflect.TypeFor[runInput](), Request)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func decodeForm(t testing.TB, form string, in any) error {
	t.Helper()
	values, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	n, err := ParseForm(values, nil)
	if err != nil {
		return err
	}
	d := Decoder{Dialect: EC2}
	return d.Decode(runPlan(t), n, in)
}

const whole = "ImageId=ami-1&MinCount=1&MaxCount=2&InstanceType=t3.micro&PrivateIpAddress=172.31.0.9" +
	"&SecurityGroupId.0=sg-0&SecurityGroupId.7=sg-7&SecurityGroupId.10=sg-10&EbsOptimized=false" +
	"&BlockDeviceMapping.1.DeviceName=/dev/vda&BlockDeviceMapping.1.Ebs.VolumeSize=8&BlockDeviceMapping.1.Ebs.DeleteOnTermination=True" +
	"&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=&Monitoring.Enabled=false" +
	"&InstanceMarketOptions.SpotOptions.ValidUntil=2026-01-02T03:04:05Z"

func TestAWholeRequest(t *testing.T) {
	var in runInput
	if err := decodeForm(t, whole, &in); err != nil {
		t.Fatal(err)
	}
	disk := in.BlockDeviceMappings[0]
	switch {
	case in.ImageId != "ami-1", in.MinCount != 1, in.MaxCount != 2, *in.InstanceType != "t3.micro",
		*in.PrivateIpAddress != netip.MustParseAddr("172.31.0.9"), in.EbsOptimized == nil || *in.EbsOptimized,
		strings.Join(in.SecurityGroupIds, " ") != "sg-0 sg-7 sg-10",
		*disk.DeviceName != "/dev/vda" || *disk.Ebs.VolumeSize != 8 || !*disk.Ebs.DeleteOnTermination,
		in.TagSpecifications[0].Tags[0].Key != "a",
		!in.InstanceMarketOptions.SpotOptions.ValidUntil.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)):
		t.Errorf("got %+v", in)
	}
}

func TestWhatARequestIsRefusedFor(t *testing.T) {
	const least = "ImageId=ami-1&MinCount=1&MaxCount=2&"
	for form, want := range map[string]string{
		"ImageId=ami-1":                                            "MissingParameter Count",
		"ImageId=a&MaxCount=1":                                     "MissingParameter MinCount",
		"ImageId=a&MinCount=&MaxCount=1":                           "MissingParameter MinCount",
		least + "imageId=x":                                        "UnknownParameter imageId",
		least + "SecurityGroupId=sg":                               "InvalidParameterValue SecurityGroupId",
		least + "SecurityGroupId.-1=sg":                            "UnknownParameter SecurityGroupId.-1",
		least + "SecurityGroupId.1.2=sg":                           "UnknownParameter SecurityGroupId.1.2",
		least + "SecurityGroupId.99999999999999=sg":                "UnknownParameter SecurityGroupId.99999999999999",
		least + "BlockDeviceMapping.1=x":                           "InvalidParameterValue BlockDeviceMapping.1",
		least + "BlockDeviceMapping.1.Ebs.VolumeSize=-":            "InvalidParameterValue BlockDeviceMapping.1.Ebs.VolumeSize",
		least + "BlockDeviceMapping.1.Ebs.VolumeType=x":            "InvalidParameterValue BlockDeviceMapping.1.Ebs.VolumeType",
		least + "BlockDeviceMapping.2.Ebs.Encrypted=true":          "UnsupportedOperation BlockDeviceMapping.2.Ebs.Encrypted",
		least + "BlockDeviceMapping.2.Ebs.Colour=x":                "UnknownParameter BlockDeviceMapping.2.Ebs.Colour",
		least + "Monitoring.Enabled=true":                          "UnsupportedOperation Monitoring.Enabled",
		least + "Monitoring.Colour=false":                          "UnknownParameter Monitoring.Colour",
		least + "Monitoring=true":                                  "InvalidParameterValue Monitoring",
		least + "LicenseSpecification.1.LicenseConfigurationArn=a": "UnsupportedOperation LicenseSpecification",
		least + "EbsOptimized=maybe":                               "InvalidParameterValue EbsOptimized",
		least + "PrivateIpAddress=1.2.3":                           "InvalidParameterValue PrivateIpAddress",
		least + "InstanceType=%ff":                                 "InvalidParameterValue InstanceType",
		least + "InstanceMarketOptions.SpotOptions.ValidUntil=now": "InvalidParameterValue InstanceMarketOptions.SpotOptions.ValidUntil",
		"ImageId=a&MaxCount=2&MinCount=1e3":                        "InvalidParameterValue MinCount",
		"ImageId=a&MaxCount=2&MinCount=2147483648":                 "InvalidParameterValue MinCount",
		"ImageId.1=a&MaxCount=2&MinCount=1":                        "UnknownParameter ImageId.1",
	} {
		code, name, _ := strings.Cut(want, " ")
		err := decodeForm(t, form, new(runInput))
		if fault.CodeOf(err) != code || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: want %s, got %v", form, want, err)
		}
	}
}

func TestLimits(t *testing.T) {
	form := url.Values{"ImageId": {"a"}, "MinCount": {"1"}, "MaxCount": {"1"}}
	for i := range maxItems + 1 {
		form.Set("SecurityGroupId."+strconv.Itoa(i), "sg")
	}
	if err := decodeForm(t, form.Encode(), new(runInput)); fault.CodeOf(err) != "InvalidParameterValue" {
		t.Errorf("a list too long: %v", err)
	}
	for i := range maxPairs {
		form.Set("Foo"+strconv.Itoa(i), "x")
	}
	if _, err := ParseForm(form, nil); fault.CodeOf(err) != "InvalidParameterCombination" {
		t.Errorf("too many: %v", err)
	}
	if _, err := ParseForm(url.Values{strings.Repeat("a.", maxDepth+1): {""}}, nil); err == nil {
		t.Error("too deep a name is taken")
	}
}

func TestTimesThatClientsSend(t *testing.T) {
	want := time.Date(2015, 1, 25, 8, 0, 0, 0, time.UTC)
	for _, s := range []string{"2015-01-25T08:00:00Z", "2015-01-25T08:00:00.000Z", "2015-01-25T09:00:00+01:00", "2015-01-25T08:00:00", "2015-01-25T08:00Z", "1422172800", "1422172800.0", "Sun, 25 Jan 2015 08:00:00 GMT"} {
		if got, ok := parseTime(s); !ok || !got.Equal(want) {
			t.Errorf("%s: got %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "x", "NaN", "1e300", "0000-01-01T00:00:00Z", "2015-13-01"} {
		if got, ok := parseTime(s); ok {
			t.Errorf("%q is taken as %v", s, got)
		}
	}
}

// FuzzDecode sends any form to a large request: it is refused with a fault, or
// it survives being written and read again.
func FuzzDecode(f *testing.F) {
	f.Add(whole)
	f.Add("ImageId=a&MinCount=1&MaxCount=1&SecurityGroupId.1.1.1.1=2&BlockDeviceMapping.1.Ebs=")
	p := runPlan(f)
	f.Fuzz(func(t *testing.T, form string) {
		values, err := url.ParseQuery(form)
		if err != nil {
			return
		}
		d := Decoder{Dialect: EC2}
		var in, back runInput
		n, err := ParseForm(values, nil)
		if err == nil {
			err = d.Decode(p, n, &in)
		}
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v", form, err)
			}
			return
		}
		again, err := p.Form(EC2, &in)
		if err != nil {
			t.Fatal(err)
		}
		if n, err = ParseForm(again, nil); err != nil {
			t.Fatal(err)
		}
		if err = d.Decode(p, n, &back); err != nil {
			t.Fatalf("%q came back as %v: %v", form, again, err)
		}
		if third, _ := p.Form(EC2, &back); !reflect.DeepEqual(third, again) {
			t.Errorf("%v, then %v", again, third)
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"ImageId":"a","MinCount":1,"MaxCount":2,"SecurityGroupIds":["x"],"BlockDeviceMappings":[{"Ebs":{"VolumeSize":1}}]}`))
	p := runPlan(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseJSON(b)
		var in runInput
		d := Decoder{Dialect: JSON}
		if err == nil {
			err = d.Decode(p, n, &in)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", b, err)
		}
		if err == nil {
			if _, err := p.JSON(&in); err != nil {
				t.Error(err)
			}
		}
	})
}

func BenchmarkDecodeRunInstances(b *testing.B) {
	values, err := url.ParseQuery(whole)
	if err != nil {
		b.Fatal(err)
	}
	p := runPlan(b)
	d := Decoder{Dialect: EC2}
	for b.Loop() {
		n, err := ParseForm(values, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Decode(p, n, new(runInput)); err != nil {
			b.Fatal(err)
		}
	}
}
