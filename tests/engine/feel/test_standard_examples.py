"""What DMN 1.5 says of its built-in functions, ranges, operators and properties, line by line (10.3.2 and 10.3.4)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine import feel

TRUE = r"""
substring("foobar",3) = "obar"
substring("foobar",3,3) = "oba"
substring("foobar", -2, 1) = "a"
substring("\U01F40Eab", 2) = "ab"
string length("foo") = 3
string length("\U01F40Eab") = 3
upper case("aBc4") = "ABC4"
lower case("aBc4") = "abc4"
substring before("foobar", "bar") = "foo"
substring before("foobar", "xyz") = ""
substring before("foobar", "") = ""
substring after("foobar", "ob") = "ar"
substring after("", "a") = ""
substring after("foo", "") = "foo"
replace("abcd", "(ab)|(a)", "[1=$1][2=$2]") = "[1=ab][2=]cd"
contains("foobar", "of") = false
starts with("foobar", "fo") = true
ends with("foobar", "r") = true
matches("foobar", "^fo*b") = true
split("John Doe", "\\s") = ["John", "Doe"]
split("a;b;c;;", ";") = ["a","b","c","",""]
string join(["a","b","c"], "_and_") = "a_and_b_and_c"
string join(["a","b","c"], "") = "abc"
string join(["a","b","c"], null) = "abc"
string join(["a"], "X") = "a"
string join(["a",null,"c"], "X") = "aXc"
string join([], "X") = ""
list contains([1,2,3], 2) = true
count([1,2,3]) = 3
count([]) = 0
count([1, [2,3]]) = 2
min([1,2,3]) = 1
min(1) = 1
min([1]) = 1
max(1,2,3) = 3
sum([1,2,3]) = 6
sum(1,2,3) = 6
sum([]) = null
mean([1,2,3]) = 2
mean(1) = 1
all([false,null,true]) = false
all(true) = true
all([]) = true
all(0) = null
any([false,null,true]) = true
any(false) = false
any([]) = false
any(0) = null
sublist([4,5,6], 1, 2) = [4,5]
append([1], 2, 3) = [1,2,3]
concatenate([1,2],[3]) = [1,2,3]
insert before([1,3],1,2) = [2,1,3]
remove([1,2,3], 2) = [1,3]
list replace([2, 4, 7, 8], 3, 6) = [2,4,6,8]
list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5) = [5,5,7,8]
reverse([1,2,3]) = [3,2,1]
index of([1,2,3,2], 2) = [2,4]
union([1,2],[2,3]) = [1,2,3]
distinct values([1,2,3,2,1]) = [1,2,3]
flatten([[1,2],[[3]], 4]) = [1,2,3,4]
product([2, 3, 4]) = 24
product(2,3,4) = 24
median(8, 2, 5, 3, 4) = 4
median([6, 1, 2, 3]) = 2.5
median([]) = null
stddev(2, 4, 7, 5) = 2.081665999466132735282297706979931
stddev([47]) = null
stddev(47) = null
stddev([]) = null
mode(6, 3, 9, 6, 6) = [6]
mode([6, 1, 9, 6, 1]) = [1, 6]
mode([]) = []
decimal(1/3, 2) = .33
decimal(1.5, 0) = 2
decimal(2.5, 0) = 2
floor(1.5) = 1
floor(-1.56, 1) = -1.6
ceiling(-1.5) = -1
ceiling(-1.56, 1) = -1.5
round up(5.5, 0) = 6
round up(-5.5, 0) = -6
round up(1.121, 2) = 1.13
round up(-1.126, 2) = -1.13
round down(5.5, 0) = 5
round down(1.121, 2) = 1.12
round half up(5.5, 0) = 6
round half up(-5.5, 0) = -6
round half up(1.121, 2) = 1.12
round half down(5.5, 0) = 5
round half down(-5.5, 0) = -5
round half down(-1.126, 2) = -1.13
abs(-10) = 10
abs(@"PT5H") = @"PT5H"
abs(@"-PT5H") = @"PT5H"
modulo(12, 5) = 2
modulo(-12,5) = 3
modulo(12,-5) = -3
modulo(-12,-5) = -2
modulo(10.1, 4.5) = 1.1
modulo(-10.1, 4.5) = 3.4
modulo(10.1, -4.5) = -3.4
modulo(-10.1, -4.5) = -1.1
sqrt(16) = 4
decimal(log(10),8) = 2.30258509
decimal(exp(5),8) = 148.41315910
odd(5) = true
even(2) = true
number("1 000,0", " ", ",") = 1000.0
number("1,000.0", ",", ".") = 1000.0
string(1.1) = "1.1"
string(null) = null
duration("PT20H") = duration("PT20H")
years and months duration(date("2011-12-22"), date("2013-08-24")) = duration("P1Y8M")
date("2012-12-25") - date("2012-12-24") = duration("P1D")
date and time("2012-12-24T23:59:00") + duration("PT1M") = date and time("2012-12-25T00:00:00")
time("23:59:00Z") + duration("PT2M") = time("00:01:00@Etc/UTC")
date(date and time("2012-12-25T11:00:00Z")) = date("2012-12-25")
time(date and time("2012-12-25T11:00:00Z")) = time("11:00:00Z")
date(2012,12,25) = date("2012-12-25")
is(date("2012-12-25"), time("23:00:50")) = false
is(date("2012-12-25"), date("2012-12-25")) = true
is(time("23:00:50Z"), time("23:00:50")) = false
is(time("23:00:50Z"), time("23:00:50+00:00")) = true
before(1, 10) = true
before(10, 1) = false
before(1, [1..10]) = false
before(1, (1..10]) = true
before(1, [5..10]) = true
before([1..10], 10) = false
before([1..10), 10) = true
before([1..10], 15) = true
before([1..10], [15..20]) = true
before([1..10], [10..20]) = false
before([1..10), [10..20]) = true
before([1..10], (10..20]) = true
after(10, 5) = true
after(12, [1..10]) = true
after(10, [1..10)) = true
after(10, [1..10]) = false
after([11..20], 12) = false
after([11..20], 10) = true
after((11..20], 11) = true
after([11..20], 11) = false
after([11..20], [1..10]) = true
after([11..20], [1..11)) = true
after((11..20], [1..11]) = true
meets([1..5], [5..10]) = true
meets([1..5), [5..10]) = false
meets([1..5], (5..10]) = false
met by([5..10], [1..5]) = true
met by([5..10], [1..5)) = false
overlaps([1..5], [3..8]) = true
overlaps([3..8], [1..5]) = true
overlaps([1..8], [3..5]) = true
overlaps([3..5], [1..8]) = true
overlaps([1..5], [6..8]) = false
overlaps([1..5], [5..8]) = true
overlaps([1..5], (5..8]) = false
overlaps([1..5), [5..8]) = false
overlaps before([1..5], [3..8]) = true
overlaps before([1..5], [6..8]) = false
overlaps before([1..5], [5..8]) = true
overlaps before([1..5], (1..5)) = false
overlaps before([1..5], (1..5]) = true
overlaps after([3..8], [1..5]) = true
overlaps after([6..8], [1..5]) = false
overlaps after((1..5], [1..5)) = true
overlaps after((1..5], [1..6)) = false
overlaps after([1..5], [1..5)) = false
finishes(10, [1..10]) = true
finishes(10, [1..10)) = false
finishes([5..10], [1..10]) = true
finishes([5..10), [1..10]) = false
finishes([5..10), [1..10)) = true
finishes([1..10], [1..10]) = true
finishes((1..10], [1..10]) = true
finished by([1..10], 10) = true
finished by([1..10], [5..10]) = true
finished by([1..10], (1..10]) = true
includes([1..10], 5) = true
includes([1..10], 12) = false
includes([1..10], [4..6]) = true
includes([1..10], [1..5]) = true
includes((1..10], (1..5]) = true
includes([1..10], (1..10)) = true
includes([1..10), [5..10)) = true
includes([1..10), [1..10]) = false
during(5, [1..10]) = true
during([4..6], [1..10]) = true
during((1..10), [1..10]) = true
starts(1, [1..10]) = true
starts(1, (1..10]) = false
starts([1..5], [1..10]) = true
starts((1..5], [1..10]) = false
starts([1..10], [1..10]) = true
starts([1..10), [1..10]) = true
starts((1..10), (1..10)) = true
started by([1..10], 1) = true
started by([1..10], [1..5]) = true
started by([1..10], [1..10)) = true
coincides(5, 5) = true
coincides([1..5], [1..5]) = true
coincides((1..5), [1..5]) = false
day of year(date(2019, 9, 17)) = 260
day of week(date(2019, 9, 17)) = "Tuesday"
month of year(date(2019, 9, 17)) = "September"
week of year(date(2019, 9, 17)) = 38
week of year(date(2003, 12, 29)) = 1
week of year(date(2005, 1, 1)) = 53
sort([3,1,4,5,2], function(x,y) x < y) = [1,2,3,4,5]
sort(list: [3,1,4,5,2], precedes: function(x,y) x < y) = [1,2,3,4,5]
get value({key1 : "value1"}, "key1") = "value1"
get value({key1 : "value1"}, "unexistent-key") = null
get value({key1: {key2: {key3: "value"}}}, ["key1","key2","key3"]) = "value"
get entries({key1 : "value1", key2 : "value2"})[key="key1"].value = ["value1"]
context([{key:"a", value:1}, {key:"b", value:2}]) = {a:1, b:2}
context([{key:"a", value:1}, {key:"b", value:2, something: "else"}]) = {a:1, b:2}
context([{key:"a", value:1}, {key:"b"}]) = null
context put({x:1}, "y", 2) = {x:1,y:2}
context put({x:1, y: {a: 0} }, ["y", "a"], 2) = {x:1, y:{a:2}}
context put({x:1}, [], 2) = null
context merge([{x:1}, {y:2}]) = {x:1,y:2}
context merge([{x:1, y:0}, {y:2}]) = {x:1,y:2}
range("[18..21)") = [18..21)
range("[2..]") = null
range(">= 1") = null
range("[..2]") = null
range("") = null
range("[..]") = null
range("[\"a\"..\"c\"]") = ["a".."c"]
(>10).start included = false
(>10).end = null
(<=5).end included = true
[1..5].start = 1
5 in (> 3) = true
5 in [1..5) = false
"b" in ["a".."c"] = true
@"2019-03-31" in [@"2019-01-01"..@"2019-12-31"] = true
{a:1}.b = null
null.a = null
[{a:1},{a:2}].a = [1,2]
[{x:1,y:2},{x:null,y:3}][x < 2] = [{x:1,y:2}]
[1,2,3,4][-1] = 4
[1,2,3,4][5] = null
[1,2,3,4][item > 2] = [3,4]
[{item:1},{item:2}][item >= 2] = [{item:2}]
(for i in 0..4 return if i = 0 then 1 else i * partial[-1]) = [1,1,2,6,24]
(for x in [1,2], y in [3,4] return x * y) = [3,4,6,8]
some x in [1,2,3] satisfies x > 2
every x in [] satisfies x > 2
(every x in [1,null] satisfies x > 0) = null
1 in (1,2) = true
1 instance of number
"a" instance of string
(null instance of Any) = false
[1] instance of list<number>
(["a"] instance of list<number>) = false
{a:1} instance of context<a: number>
(function(x: number) x) instance of function<number> -> Any
@"P1Y" instance of years and months duration
[1..2] instance of range<number>
2 ** 3 = 8
-2 ** 2 = 4
2 ** -1 = 0.5
10 / 3 = 3.333333333333333333333333333333333
1/0 = null
"a" + "b" = "ab"
"a" + 1 = null
null + 1 = null
(true and null) = null
(false and null) = false
(true or null) = true
(null or false) = null
not(null) = null
null = null
[1,2] = [1,2]
{a:1,b:2} = {b:2,a:1}
@"2012-12-25".weekday = 2
@"2012-12-25T10:30:01Z".time offset = @"PT0S"
@"10:30:00@Europe/Paris".timezone = "Europe/Paris"
@"P1Y2M".months = 2
@"-P1DT2H".hours = -2
@"PT1H30M" * 2 = @"PT3H"
@"PT3H" / @"PT1H" = 3
@"P1Y" / 2 = @"P6M"
@"P1Y" / @"P1M" = 12
date("2017-01-31") + @"P1M" = date("2017-02-28")
date("2016-02-29") - @"P1Y" = date("2015-02-28")
(if null then 1 else 2) = 2
1 between 0 and 2
{a: 1, b: a + 1}.b = 2
(function(a,b) a+b)(1,2) = 3
substring(string: "foobar", start position: 3) = "obar"
string("a") + string(@"P1D") = "aP1D"
string([1,"a",null]) = "[1, \"a\", null]"
string({a: "b"}) = "{a: \"b\"}"
string(@"2012-12-25T10:30:01.5Z") = "2012-12-25T10:30:01.5Z"
number("1e3", null, null) = 1000
"\u0041" = "A"
"""


@pytest.mark.parametrize("text", TRUE.strip().splitlines())
def test_it_is_as_the_standard_says(text: str) -> None:
    assert feel.parse_expression(text).evaluate({}, feel.Environment(datetime(2026, 11, 24, tzinfo=UTC))) is True
