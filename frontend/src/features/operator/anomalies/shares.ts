/** Say how many of the users of a client gave evidence. Guests with evidence may exceed the keys counted. */
export function shareOf(withEvidence: number, users: number): string {
  if (users === 0 || withEvidence >= users) return "evidence about all or nearly all";
  const percent = (100 * withEvidence) / users;
  return percent < 1 ? "evidence about fewer than 1 %" : `evidence about ${Math.round(percent)} %`;
}
