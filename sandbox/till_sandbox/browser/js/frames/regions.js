/** States and provinces, by country, where an address is written with a code of theirs (ISO 3166-2, USPS, Canada Post). */

const WRITTEN = {
  US:
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|" +
    "DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|" +
    "KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|" +
    "MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|" +
    "NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|" +
    "SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|" +
    "WV West Virginia|WI Wisconsin|WY Wyoming",
  CA:
    "AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|" +
    "NT Northwest Territories|NS Nova Scotia|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|" +
    "YT Yukon",
  AU:
    "ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|SA South Australia|" +
    "TAS Tasmania|VIC Victoria|WA Western Australia",
};

/** @type {Readonly<Record<string, readonly [string, string][]>>} */
const REGIONS = Object.freeze(
  Object.fromEntries(
    Object.entries(WRITTEN).map(([country, regions]) => [
      country,
      regions.split("|").map((region) => /** @type {[string, string]} */ ([region.split(" ")[0], afterCode(region)])),
    ]),
  ),
);

/** @param {string} country @returns {readonly [string, string][]} codes and names; none where an address has none */
export function regionsOf(country) {
  return REGIONS[country] ?? [];
}

/** @param {string} region */
function afterCode(region) {
  return region.slice(region.indexOf(" ") + 1);
}
